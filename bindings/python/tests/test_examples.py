"""The examples against the embedded server."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from im_client import Client, State

from .complaints import complaints
from .servers import IM_SERVER, PATIENCE, REPOSITORY, Server, credentials, new_user, until

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = REPOSITORY / "examples" / "python"
KICKED_OUT = 3


@contextmanager
def started(name: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-X", "dev", str(EXAMPLES / name), *flags]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, encoding="utf-8", stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def ended(process: subprocess.Popen[str], text: str | None = None) -> tuple[str, int]:
    """What it prints from here on, without a word of complaint, and how it ends."""
    out, err = process.communicate(text, timeout=PATIENCE)
    assert complaints(err) == ""
    return out, process.returncode


def test_chat_with_echo(embedded: Server, user: str) -> None:
    with started("chat.py", "--root", embedded.root, "--user", user) as chat:
        out, status = ended(chat, "grüß dich\nund\x07 tschüß\n")
    assert status == 0
    assert f"* {user} is online\n" in out
    assert out.startswith("* connected by websocket\n")
    assert out.count("✓ stored ") == 2
    assert "echo: grüß dich\n" in out
    assert "echo: und  tschüß\n" in out


def test_the_event_loop(embedded: Server) -> None:
    with started("event_loop.py", "--root", embedded.root, "--users", "5") as loop:
        out, status = ended(loop)
    assert status == 0
    assert sorted(out.splitlines()[:5]) == [f"user {number} got 'hi from {(number + 4) % 5}'" for number in range(5)]
    assert out.endswith("5 users, 5 stored, 5 received, 1 thread\n")


def test_chat_of_two(embedded: Server) -> None:
    alice, bob = new_user(), new_user()
    with Client(embedded.root, "chat", query=credentials(alice)) as client:
        client.send_message({"type": 1, "from": alice, "to": bob, "content": "while you were away"}, timeout=PATIENCE)
        presence = client.events("c_online")
        with started("chat.py", "--root", embedded.root, "--user", bob, "--peer", alice) as chat:
            lines = {line(chat) for _ in range(3)}
            assert lines == {"* connected by websocket", f"* {bob} is online", f"{alice}: while you were away"}
            received = client.events("c_message")
            assert chat.stdin is not None
            chat.stdin.write("here I am\n")
            chat.stdin.flush()
            message = received.get(PATIENCE)
            assert message is not None
            assert message.payload["content"] == "here I am"
            assert line(chat).startswith("✓ stored ")
            _, status = ended(chat)
            assert status == 0
        while True:
            event = presence.get(PATIENCE)
            assert event is not None
            if (event.payload["type"], event.payload["current"]) == ("offline", bob):
                break


def test_chat_is_kicked_out(embedded: Server, user: str) -> None:
    with started("chat.py", "--root", embedded.root, "--user", user) as chat:
        assert line(chat) == "* connected by websocket"
        with Client(embedded.root, "chat", query=credentials(user)) as other:
            until(lambda: other.state is State.CONNECTED)
            # Its stdin stays open, and it ends all the same.
            assert chat.wait(PATIENCE) == KICKED_OUT
        out, _ = ended(chat)
    assert "! IM_CODE_OTHER_DEVICE (20004, " in out
    assert "* disconnected: io server disconnect\n" in out


def test_chat_is_refused(embedded: Server, user: str) -> None:
    with started("chat.py", "--root", embedded.root, "--user", user, "--token", "expired") as chat:
        lines = [line(chat) for _ in range(3)]
        assert "! IM_CODE_AUTH_FAILED (20001, " in "\n".join(lines)


@pytest.mark.parametrize("device", ["pc-1", None])
def test_qr_login(embedded: Server, device: str | None) -> None:
    flags = ["--root", embedded.root] + (["--device-id", device] if device else [])
    with started("qr_login.py", *flags) as login:
        shown: list[str] = []
        while not (shown and shown[-1].startswith("device id: ")):
            shown.append(line(login))
        own = shown[-1].partition("device id: ")[2]
        assert own == (device or own)
        assert f"url: {embedded.root}/qrlogin?device_id={own}" == shown[-2]
        assert any("█" in each for each in shown)
        until(lambda: _scanned(embedded, own))
        out, status = ended(login)
    assert out.startswith("token: ")
    assert status == 0


def _scanned(server: Server, device: str) -> bool:
    """Not before the program waits for it."""
    command = [str(IM_SERVER), "phone", "--url", server.root, "--device-id", device, "--user", "111"]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0
