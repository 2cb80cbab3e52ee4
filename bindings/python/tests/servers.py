"""The servers that the tests run against: each started by the test, on a free port, ended by closing its stdin."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

REPOSITORY = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
SERVERS = REPOSITORY / "tests" / "servers"
IM_SERVER = TARGET / "debug" / "im-server"
PATIENCE = 30.0

_users = itertools.count(1)


class Server:
    """A server process; its ready line says where it listens."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.process = subprocess.Popen(command, cwd=SERVERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.root = f"http://127.0.0.1:{ready['port']}"
        self._control = f"http://127.0.0.1:{ready.get('controlPort', ready['port'])}"

    def post(self, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._control + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self._control + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate(timeout=PATIENCE)


def socketio(generation: int, *flags: str) -> Server:
    return Server("node", "socketio.js", "--generation", str(generation), *flags)


def egg(*flags: str) -> Server:
    return Server("node", "egg.js", *flags)


def im_server(*flags: str) -> Server:
    return Server(str(IM_SERVER), "--port", "0", "--exit-with-stdin", "--quiet", *flags)


def scan(server: Server, device_id: str) -> None:
    """The phone scans the QR code of a device."""
    if "egg.js" in server.command:
        server.post("/control/qrlogin", device_id=device_id, code=0, token="secret")
    else:
        server.post("/phone/qrlogin", device_id=device_id, user_id="111")


def new_user() -> str:
    """A user id that no other test has."""
    return f"{os.getpid()}-{next(_users)}"


def credentials(user: str) -> dict[str, str]:
    return {"token": "t", "userId": user}


def text_message(sender: str, receiver: str, content: str = "hi") -> dict[str, Any]:
    return {"type": 1, "from": sender, "to": receiver, "content": content}


def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)
