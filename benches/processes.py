"""The load server and the drivers: started, pinned to their cores, read."""

import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DRIVERS = ROOT / "benches" / "drivers"
#: The server has one core to itself, and the driver another.
SERVER_CORE, DRIVER_CORE = 0, (os.cpu_count() or 1) - 1
#: A driver that takes so many seconds hangs.
PATIENCE = 300

Figures = dict[str, float]


@dataclass(frozen=True)
class Driver:
    name: str
    command: tuple[str, ...]
    #: So many times less to do, so that a slow one does not take all the time; by measure, or for all others as "".
    slow: dict[str, int] = field(default_factory=dict)
    #: Something that a user would pick instead.
    is_peer: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    def share(self, measure: str, count: int) -> int:
        return max(20, count // self.slow.get(measure, self.slow.get("", 1)))


class Server:
    """On the same port where one is given: it takes the place of the one before."""

    def __init__(self, build: Path, *flags: str, profile: str = "peers"):
        command = ["taskset", "-c", str(SERVER_CORE), str(build / profile / "load-server"), *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port: int = json.loads(self.process.stdout.readline())["port"]
        self.root = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.process.communicate(timeout=30)

    def stats(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.root}/stats", timeout=30) as answer:
            stats: dict[str, int] = json.load(answer)
        return stats


class Run:
    """A driver at work. Its lines are objects of JSON, the last one has its figures."""

    def __init__(self, driver: Driver, *arguments: object):
        self.command = ["taskset", "-c", str(DRIVER_CORE), *driver.command, *map(str, arguments)]
        environment = os.environ | driver.environment
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    def lines(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield json.loads(line)

    def finish(self) -> None:
        _, errors = self.process.communicate()
        self.watchdog.cancel()
        if self.process.returncode != 0:
            raise SystemExit(f"{' '.join(self.command)}: {self.process.returncode}\n{errors}")


def take(build: Path, driver: Driver, measure: str, count: int, *size: int) -> Figures:
    """Runs a driver against a server of its own."""
    with Server(build) as server:
        run = Run(driver, server.root, measure, count, *size)
        lines = list(run.lines())
        run.finish()
    return {key: round(value, 4) for key, value in lines[-1].items()}
