#!/usr/bin/env python3
"""The story of the examples `chat` and `qr_login`, against the embedded server. IM_EXAMPLES is the folder of the programs."""

import json
import os
import re
import subprocess
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from servers import EMBEDDED, TARGET, Server

PROGRAMS = Path(os.environ["IM_EXAMPLES"])
SECONDS = 20


class Program:
    """A program whose lines can be waited for."""

    def __init__(self, *command: str, root: str = ""):
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            command, env=os.environ | ({"IM_ROOT": root} if root else {}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        end = time.monotonic() + SECONDS
        with self.news:
            while True:
                for line in self.lines:
                    if found := re.fullmatch(pattern, line):
                        return found
                if not self.news.wait(end - time.monotonic()):
                    raise AssertionError(f"no line {pattern} in {self.lines}")

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Ends its input; gives its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.reader.join()
            assert self.process.stdout and self.process.stdin
            self.process.stdout.close()
            self.process.stdin.close()


class Examples(unittest.TestCase):
    def setUp(self) -> None:
        self.root = self.enterContext(Server(EMBEDDED)).root

    def chat(self, *flags: str) -> Program:
        program = Program(str(PROGRAMS / "chat"), *flags, root=self.root)
        program.wait_for(r"\* connected by websocket")
        return program

    def stored(self) -> list[dict[str, str]]:
        with urllib.request.urlopen(self.root + "/messages", timeout=SECONDS) as answer:
            messages: list[dict[str, str]] = json.load(answer)
            return messages

    def test_echo_answers_before_the_chat_ends(self) -> None:
        program = self.chat()
        text = 'hi "there" \\ 你好 🙂'
        program.type(text)
        self.assertEqual(program.end(), 0)
        program.wait_for(r"✓ stored \d+")
        program.wait_for(re.escape(f"echo: {text}"))
        self.assertEqual(self.stored()[0]["from"], "111")

    def test_two_users_chat_and_come_and_go(self) -> None:
        one = self.chat("--user", "1", "--peer", "2", "--token", "t")
        two = self.chat("--user", "2", "--peer", "1")
        one.wait_for(r"\* 2 is online")
        one.type("to two")
        two.wait_for("1: to two")
        self.assertEqual(two.end(), 0)
        one.wait_for(r"\* 2 is offline")
        one.type("while you were away\x1b[31m")
        one.wait_for(r"✓ stored 2")
        two = self.chat("--user", "2", "--peer", "1")
        two.wait_for(r"1: while you were away \[31m")
        self.assertEqual((one.end(), two.end()), (0, 0))

    def test_chat_ends_where_the_user_signs_in_elsewhere(self) -> None:
        first, second = self.chat(), self.chat()
        first.wait_for(r"! IM_CODE_OTHER_DEVICE \(20004, .+\)")
        self.assertEqual(first.wait(), 3)
        self.assertEqual(second.end(), 0)

    def test_chat_tells_of_refusals_and_of_servers_that_are_not_there(self) -> None:
        refused = Program(str(PROGRAMS / "chat"), "--root", self.root, "--token", "bad")
        refused.wait_for(r"! IM_CODE_AUTH_FAILED \(20001, .+\)")
        self.assertEqual(refused.end(), 0)
        lost = Program(str(PROGRAMS / "chat"), "--root", "http://127.0.0.1:1")
        lost.wait_for(r"\* cannot connect: .+")
        self.assertEqual(lost.end(), 0)
        self.assertEqual(Program(str(PROGRAMS / "chat"), "--root", "nonsense").end(), 1)
        self.assertEqual(Program(str(PROGRAMS / "chat"), "--colour", "red").end(), 2)

    def test_qr_login_prints_the_token_of_the_phone(self) -> None:
        login = Program(str(PROGRAMS / "qr_login"), "--root", self.root)
        device = login.wait_for(r"device id: (\S+)")[1]
        login.wait_for(re.escape(f"url: {self.root}/qrlogin?device_id={device}"))
        self.assertGreater(len([line for line in login.lines if re.fullmatch(r"[ ▀▄█]{29,}", line)]), 14)
        phone = ["phone", "--url", self.root, "--device-id", device, "--user", "111"]
        subprocess.run([TARGET / "debug" / "im-server", *phone], check=True, timeout=SECONDS, capture_output=True)
        token = login.wait_for(r"token: (\S+)")[1]
        self.assertEqual(login.end(), 0)
        chat = self.chat("--token", token)
        self.assertEqual(chat.end(), 0)


if __name__ == "__main__":
    unittest.main()
