#!/usr/bin/env python3
"""The demo: an IM server, the console chats of Alice and Bob, and a login by QR code, played from a script.

Starts the real programs as children, types into them through pipes, waits for what they print, and ends with
exit code 0 only if everything was seen. Nothing in it waits for time to pass, but for lines, exits and answers.
"""

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

STEP_SECONDS = 10  # for one line, exit or answer
TOTAL_SECONDS = 28
NAME_WIDTH = 9

print_lock = threading.Lock()
deadline = time.monotonic() + TOTAL_SECONDS


def show(name: str, mark: str, text: str) -> None:
    with print_lock:
        print(f"{name:<{NAME_WIDTH}} {mark} {text}", flush=True)


def tell(text: str) -> None:
    with print_lock:
        print(f"\n— {text}", flush=True)


class Missing(Exception):
    """Something that should have been seen was not."""


def seconds_left() -> float:
    return max(0.0, min(STEP_SECONDS, deadline - time.monotonic()))


class Program:
    """A child process whose output is shown and can be waited for."""

    running: list["Program"] = []

    def __init__(self, name: str, *command: str | Path):
        self.name = name
        self.lines: list[str] = []  # not yet seen by wait_for
        self.ended = False
        self.news = threading.Condition()
        show(name, "$", " ".join([Path(command[0]).name, *map(str, command[1:])]))
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert self.process.stdin and self.process.stdout, "both are pipes"
        self.input, self.output = self.process.stdin, self.process.stdout
        Program.running.append(self)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.output:
            line = line.rstrip("\n")
            show(self.name, "│", line)
            with self.news:
                self.lines.append(line)
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def type(self, line: str) -> None:
        show(self.name, "❯", line)
        try:
            self.input.write(line + "\n")
            self.input.flush()
        except OSError as error:
            raise Missing(f"{self.name} takes no input any more: {error}") from error

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The match of the first line with the pattern that no earlier wait has taken."""
        found: re.Match[str] | None = None

        def look() -> bool:
            nonlocal found
            for index, line in enumerate(self.lines):
                found = re.search(pattern, line)
                if found:
                    del self.lines[index]
                    return True
            return self.ended

        with self.news:
            self.news.wait_for(look, seconds_left())
        if not found:
            state = "ended" if self.ended else "went on"
            raise Missing(f"{self.name} {state} without a line like {pattern}")
        return found

    def wait_for_end(self, code: int) -> None:
        try:
            actual = self.process.wait(seconds_left())
        except subprocess.TimeoutExpired:
            raise Missing(f"{self.name} did not end") from None
        self.reader.join(seconds_left())
        if actual != code:
            raise Missing(f"{self.name} ended with code {actual} instead of {code}")

    def end_input(self) -> None:
        show(self.name, "❯", "(end of input)")
        self.input.close()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Demo:
    def __init__(self, bin_dir: Path, server: Path, directory: str):
        self.bin_dir = bin_dir
        self.server = server
        self.data = Path(directory) / "messages.jsonl"
        self.checks: list[str] = []

    def check(self, text: str) -> None:
        self.checks.append(text)

    def start_server(self) -> str:
        """The URL of the server."""
        users = ["--user", "alice:alices-token", "--user", "bob:bobs-token", "--strict"]
        options = ["--port", "0", "--data", str(self.data), "--exit-with-stdin", "--quiet"]
        program = Program("server", self.server, *options, *users)
        port = json.loads(program.wait_for(r'^\{"port":.*\}$')[0])["port"]
        self.check("the server is ready")
        return f"http://127.0.0.1:{port}"

    def chat(self, name: str, user: str, token: str, peer: str) -> Program:
        options = ["--root", self.root, "--user", user, "--token", token, "--peer", peer]
        program = Program(name, self.bin_dir / "console", *options)
        program.wait_for(r"^\* connected by websocket")
        return program

    def stored_message(self, sequence: int) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.root + "/messages", timeout=seconds_left() or 0.1) as response:
            messages = json.load(response)
        return next(message for message in messages if message["sequenceId"] == sequence)

    def wait_for_delivery(self, sequence: int) -> None:
        """The receipt travels from the client to the server: there is no line of output to wait for."""
        end = time.monotonic() + seconds_left()
        while not self.stored_message(sequence)["delivered"]:
            if time.monotonic() > end:
                raise Missing(f"the server has no delivery receipt for message {sequence}")
            time.sleep(0.02)

    def send(self, sender: Program, receiver: Program | None, name: str, text: str) -> int:
        """Types a text. Returns its number once the server has confirmed it and, if there, the receiver shows it."""
        sender.type(text)
        sequence = int(sender.wait_for(r"^✓ stored (\d+)$")[1])
        if receiver:
            receiver.wait_for(f"^{name}: {re.escape(text)}$")
        return sequence

    def run(self) -> None:
        tell("A server, and two chats")
        self.root = self.start_server()
        alice = self.chat("alice", "alice", "alices-token", "bob")
        alice.wait_for(r"^\* alice is online")
        bob = self.chat("bob", "bob", "bobs-token", "alice")
        alice.wait_for(r"^\* bob is online")
        bob.wait_for(r"^\* bob is online")
        bob.type("/who")
        bob.wait_for(r"^online: alice, bob$")
        self.check("alice and bob are online and know of each other")

        tell("Messages, confirmed by the server")
        self.send(alice, bob, "alice", 'Hello Bob, can you read "quotes", \\ and 你好 🙂?')
        self.check("alice's message was stored and reached bob")
        self.send(bob, alice, "bob", "Every one of them!")
        self.check("bob's message was stored and reached alice")

        tell("Typing, and a read receipt")
        bob.type("/typing")
        alice.wait_for(r"^\* bob is typing$")
        self.check("alice saw bob typing")
        bob.type("/read")
        alice.wait_for(r"^✓✓ read by bob$")
        self.check("alice got bob's read receipt")

        tell("Bob leaves, and Alice writes to him all the same")
        bob.type("/quit")
        bob.wait_for_end(0)
        alice.wait_for(r"^\* bob is offline")
        self.check("bob left and alice saw it")
        missed = self.send(alice, None, "alice", "Bob? Call me when you are back.")
        if self.stored_message(missed)["delivered"]:
            raise Missing("a message to bob, who is offline, was to stay undelivered")
        self.check("a message to bob waits on the server")
        bob = self.chat("bob", "bob", "bobs-token", "alice")
        bob.wait_for(r"^\(while you were away\) alice: Bob\? Call me when you are back\.$")
        self.check("bob came back and got it")
        self.wait_for_delivery(missed)
        self.check("the server has his delivery receipt")

        tell("Alice takes it back")
        alice.type("/recall")
        alice.wait_for(r"^\* alice recalled a message$")
        bob.wait_for(r"^\* alice recalled a message$")
        self.check("alice recalled the message and both saw it")

        tell("Alice signs in on another desktop")
        alice_again = self.chat("alice (2)", "alice", "alices-token", "bob")
        alice.wait_for(r"^! IM_CODE_OTHER_DEVICE \(20004")
        alice.wait_for_end(3)
        self.check("her first chat was told so (20004) and ended with code 3")
        self.send(bob, alice_again, "bob", "Still there?")
        self.check("her second chat goes on")

        tell("Carol signs in by scanning a QR code with her phone")
        qr_login = Program("qr_login", self.bin_dir / "qr_login", "--root", self.root)
        device = qr_login.wait_for(r"^device id: (\S+)$")[1]
        drawn = [line for line in qr_login.lines if re.fullmatch(r"[ ▀▄█]{29,}", line)]
        if len(drawn) < 15:
            raise Missing("qr_login drew no QR code")
        self.check("qr_login drew a QR code")
        options = ["--url", self.root, "--device-id", device, "--user", "carol"]
        phone = Program("phone", self.server, "phone", *options)
        phone.wait_for_end(0)
        token = qr_login.wait_for(r"^token: (\S+)$")[1]
        qr_login.wait_for_end(0)
        self.check("the phone confirmed and qr_login got the token")
        carol = self.chat("carol", "carol", token, "bob")
        bob.wait_for(r"^\* carol is online")
        self.check("carol chats with that token")

        tell("Everybody leaves")
        for program in (alice_again, bob, carol):
            program.end_input()
            program.wait_for_end(0)
        self.check("all chats ended by themselves")


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # whatever the locale
    parser = argparse.ArgumentParser(description="Plays the demo and checks it.")
    parser.add_argument("--bin-dir", type=Path, required=True, help="where console and qr_login are")
    parser.add_argument("--server", type=Path, required=True, help="the im-server program")
    options = parser.parse_args()

    missing: Exception | None = None
    with tempfile.TemporaryDirectory(prefix="im-demo-") as directory:
        demo = Demo(options.bin_dir, options.server, directory)
        try:
            demo.run()
        except (Missing, OSError) as error:
            missing = error
        finally:
            for program in reversed(Program.running):
                program.kill()

    print()
    for text in demo.checks:
        print(f"  ✓ {text}")
    if missing:
        print(f"  ✗ {missing}\n\ndemo: failed")
        return 1
    print(f"\ndemo: all {len(demo.checks)} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
