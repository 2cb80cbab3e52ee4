"""The driver of libim_client's Python package: `ours_python.py handlers|stream ROOT MEASURE N`, see benches/README.md."""

import json
import sys
import threading
import time
from pathlib import Path

from benches.drivers.figures import cpu, tell_costs, tell_times
from im_client import CHAT_MESSAGE, CHAT_TO, Client, Event, QueueFullError  # type: ignore[import-not-found]

MESSAGE = json.loads((Path(__file__).parent / "message.json").read_text())


def receive_by_handler(client: Client, count: int) -> int:
    done, received, content = threading.Event(), 0, 0

    def on_message(event: Event) -> None:
        nonlocal received, content
        received += 1
        content += len(event.payload["content"])
        if received == count:
            done.set()

    client.on(CHAT_MESSAGE, on_message)
    client.emit("start", count)
    done.wait()
    return content


def receive_by_stream(client: Client, count: int) -> int:
    received, content = 0, 0
    events = client.events(CHAT_MESSAGE)
    client.emit("start", count)
    for event in events:
        received += 1
        content += len(event.payload["content"])
        if received == count:
            break
    return content


def emit_one(client: Client) -> None:
    """With the default bound of the queue: where it is full, what is in it goes out first."""
    try:
        client.emit(CHAT_TO, MESSAGE)
    except QueueFullError:
        client.flush()
        client.emit(CHAT_TO, MESSAGE)


def emit(client: Client, count: int) -> None:
    before = cpu(), time.monotonic()
    for _ in range(count):
        emit_one(client)
    assert client.call("count", timeout=600) == count
    tell_costs(*before, count)


def round_trips(client: Client, count: int, pair: bool) -> None:
    times = []
    for _ in range(count):
        start = time.monotonic()
        if pair:
            client.emit(CHAT_TO, MESSAGE)
        client.call("echo", 1)
        times.append((time.monotonic() - start) * 1e6)
    tell_times(times)


def main() -> None:
    way, root, measure, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    with Client(root, "/", path="/socket.io") as client:
        client.call("echo", 0, timeout=30)
        if measure == "receive":
            before = cpu(), time.monotonic()
            content = (receive_by_stream if way == "stream" else receive_by_handler)(client, count)
            tell_costs(*before, count)
            assert content > 0
        elif measure == "emit":
            emit(client, count)
        elif measure in ("roundtrip", "pair"):
            round_trips(client, count, measure == "pair")
        else:
            raise SystemExit(f"{measure}: no such measure")


main()
