"""Thousands of clients in one process: idle, and brought back after the server was restarted on the same port."""

import sys
import time
from pathlib import Path

from benches.processes import Driver, Figures, Run, Server

PING_INTERVAL = ("--ping-interval", "5000")
IDLE_SECONDS = 10


def fleet(build: Path, driver: Driver, count: int, idle_seconds: int = IDLE_SECONDS) -> Figures:
    """The driver's figures, and what the servers saw: heartbeats answered while idle, connections before and after."""
    server = Server(build, *PING_INTERVAL)
    # A name, so that every connection looks it up.
    run = Run(driver, f"http://localhost:{server.port}", "fleet", count, idle_seconds)
    before, figures = {"pongs": 0, "connections": 0}, {}
    for line in run.lines():
        if line.get("phase") == "idle":
            before = server.stats()
        elif line.get("phase") == "restart":
            after = server.stats()
            server = restarted(server, build)
        else:
            figures = line
    run.finish()
    # The one that asks for the figures is a connection too, but not one of a WebSocket.
    opened = server.stats()["opened"]
    server.stop()
    heartbeats = (after["pongs"] - before["pongs"]) / count
    return figures | {"connected": after["connections"], "heartbeats": heartbeats, "openedAfter": opened}


def restarted(server: Server, build: Path) -> Server:
    start = time.monotonic()
    server.stop()
    successor = Server(build, "--port", str(server.port), *PING_INTERVAL)
    print(f"  the server was away for {time.monotonic() - start:.2f} s", file=sys.stderr)
    return successor
