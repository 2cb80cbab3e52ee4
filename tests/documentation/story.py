"""Plays a page: its program runs beside a server, what it is said to print is waited for, its commands are run."""

import contextlib
import re
import subprocess
import threading
import time
from pathlib import Path

from tests.documentation.blocks import Block

# For one line, and for one block of commands; nothing takes so long where all is well.
PATIENCE_SECONDS = 30
COMMAND_SECONDS = 600


class Program:
    """A program of a page, whose lines can be waited for."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path):
        self.lines: list[str] = []
        self.seen: set[int] = set()
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=folder,
        )
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout, "it is a pipe"
        with self.process.stdout as lines:
            for line in lines:
                with self.news:
                    self.lines.append(line.rstrip("\n"))
                    self.news.notify_all()

    def take(self, pattern: re.Pattern[str]) -> bool:
        """Whether a line that nobody has waited for yet is so."""
        for number, line in enumerate(self.lines):
            if number not in self.seen and pattern.fullmatch(line):
                self.seen.add(number)
                return True
        return False

    def wait_for(self, shown: str) -> None:
        """Waits for a line; `…` stands for anything."""
        pattern = re.compile(".*".join(re.escape(part) for part in shown.split("…")))
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.news:
            while not self.take(pattern):
                left = deadline - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    raise AssertionError(f"the program did not print {shown!r}, but\n" + "\n".join(self.lines))
                self.news.wait(min(left, 0.5))

    def end(self) -> None:
        """Presses Enter, upon which it has to end well."""
        assert self.process.stdin, "it is a pipe"
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        finally:
            self.process.kill()
            self.reader.join()
        if code != 0:
            raise AssertionError(f"the program ended with {code}:\n" + "\n".join(self.lines))


def run_commands(blocks: list[Block], environment: dict[str, str], folder: Path, replaced: dict[str, str]) -> None:
    """Runs the blocks of commands among these."""
    for block in blocks:
        if block.language != "sh":
            continue
        text = block.text
        for shown, real in replaced.items():
            text = text.replace(shown, real)
        command = ["bash", "-euo", "pipefail", "-c", text]
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=folder, timeout=COMMAND_SECONDS
        )
        if ended.returncode != 0:
            raise AssertionError(f"{text}\nended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}")


def play(program: Program, blocks: list[Block], environment: dict[str, str], root: Path, replaced: dict[str, str]) -> None:
    """What the page shows beside its program, from the top: output (`text`) and commands (`sh`)."""
    try:
        for block in blocks:
            if block.language == "text":
                for line in filter(None, block.text.splitlines()):
                    program.wait_for(line)
            else:
                run_commands([block], environment, root, replaced)
    finally:
        program.end()
