"""Starts a server of the tests for a Python script: on a free port, ended with the `with` block."""

import json
import subprocess
from pathlib import Path
from types import TracebackType

FOLDER = Path(__file__).resolve().parent


class Server:
    """A process that prints `{"port": N}` when it is ready, and ends when its stdin closes."""

    def __init__(self, *command: str | Path):
        self.command = command

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin and self.process.stdout, "both are pipes"
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command} ended before it was ready")
        self.port = int(json.loads(line)["port"])
        self.root = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin and self.process.stdout, "both are pipes"
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


def socketio(generation: int, *flags: str) -> Server:
    """The official server, Socket.IO 2.5 (generation 2) or 4.8 (4)."""
    return Server("node", FOLDER / "socketio.js", "--generation", str(generation), *flags)


def im_server(folder: Path) -> Server:
    """The embedded IM server, from the folder where cargo built it."""
    return Server(folder / "im-server", "--port", "0", "--exit-with-stdin", "--quiet")
