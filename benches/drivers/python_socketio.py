"""The driver of python-socketio: `python_socketio.py ROOT MEASURE N`, see benches/README.md."""

import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import socketio  # type: ignore[import-not-found]
from benches.drivers.figures import cpu, tell_costs, tell_times

MESSAGE = json.loads((Path(__file__).parent / "message.json").read_text())


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def opened(root: str) -> Any:
    client = socketio.Client(reconnection=False)
    client.connect(root, transports=["websocket"])
    return client


def receive(client: Any, count: int) -> None:
    done, received, content = threading.Event(), 0, 0

    def on_message(envelope: Any) -> None:
        nonlocal received, content
        received += 1
        content += len(envelope["data"]["payload"]["content"])
        if received == count:
            done.set()

    client.on("c_message", on_message)
    before = cpu(), time.monotonic()
    client.emit("start", count)
    done.wait()
    tell_costs(*before, count)
    assert content > 0


def emit(client: Any, count: int) -> None:
    before = cpu(), time.monotonic()
    for _ in range(count):
        client.emit("to", MESSAGE)
    assert client.call("count", timeout=600) == count
    tell_costs(*before, count)


def round_trips(client: Any, count: int, pair: bool) -> None:
    times = []
    for _ in range(count):
        start = time.monotonic()
        if pair:
            client.emit("to", MESSAGE)
        client.call("echo", 1)
        times.append((time.monotonic() - start) * 1e6)
    tell_times(times)


def threads() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^Threads:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]


def connects(root: str, count: int) -> None:
    times = []
    for _ in range(count):
        connected: list[float] = []
        client = socketio.Client(reconnection=False)
        client.on("connect", lambda: connected.append(time.monotonic()))
        start = time.monotonic()
        client.connect(root, transports=["websocket"])
        times.append((connected[0] - start) * 1e6)
        client.disconnect()
    tell_times(times)


def in_flight(client: Any, count: int) -> None:
    done, own, answered = threading.Event(), 0, 0

    def ask(number: int) -> None:
        def on_answer(answer: int) -> None:
            nonlocal own, answered
            own += answer == number
            answered += 1
            if answered == count:
                done.set()

        client.emit("echo", number, callback=on_answer)

    before = cpu(), time.monotonic()
    for number in range(count):
        ask(number)
    done.wait()
    tell_costs(*before, count, wrong=count - own)


def idle(root: str, count: int) -> None:
    """Beside one client, which brings all that is there once."""
    first = opened(root)
    before = resident()
    clients = [opened(root) for _ in range(count)]
    time.sleep(1)
    print(json.dumps({"kbPerClient": (resident() - before) / 1024 / len(clients), "threads": threads()}))
    assert first.connected


def main() -> None:
    root, measure, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if measure == "idle":
        idle(root, count)
        sys.stdout.flush()
        os._exit(0)  # 500 clients take a minute to say goodbye.
    if measure == "connect":
        connects(root, count)
        return
    client = opened(root)
    if measure == "receive":
        receive(client, count)
    elif measure == "emit":
        emit(client, count)
    elif measure in ("roundtrip", "pair"):
        round_trips(client, count, measure == "pair")
    elif measure == "inflight":
        in_flight(client, count)
    else:
        raise SystemExit(f"{measure}: no such measure")
    client.disconnect()


main()
