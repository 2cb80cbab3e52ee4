"""The servers that the tests of C and C++ run against: each ends when its stdin closes."""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
EMBEDDED = "im-server"
COMMANDS = {
    "socketio2": ["node", "socketio.js", "--generation", "2"],
    "socketio4": ["node", "socketio.js", "--generation", "4"],
    "egg": ["node", "egg.js"],
    EMBEDDED: [str(TARGET / "debug" / "im-server"), "--port", "0", "--exit-with-stdin", "--quiet"],
}


class Server:
    """A server of a kind, on a free port, for as long as the `with` block runs."""

    def __init__(self, kind: str):
        self.kind = kind

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(
            COMMANDS[self.kind],
            cwd=ROOT / "tests" / "servers",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout, "it is a pipe"
        self.root = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.communicate(timeout=20)  # closes its stdin

    @property
    def environment(self) -> dict[str, str]:
        """What tells a test which server it is, and that no library but the one it was linked with counts."""
        environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        return environment | ({"IM_SERVER_IS_EMBEDDED": "1"} if self.kind == EMBEDDED else {})
