#!/usr/bin/env python3
"""Measures libim_client beside what a user would pick instead, and writes what came out.

The load server runs on one core, the driver on another; each measure is taken in rounds, one driver after the other within a
round, so that what else the machine does meets all of them. Ratios are taken within a round; medians are shown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DRIVERS = ROOT / "benches" / "drivers"
SERVER_CORE, DRIVER_CORE = 0, os.cpu_count() - 1 if os.cpu_count() else 0


@dataclass(frozen=True)
class Driver:
    name: str
    command: list[str]
    #: So many times slower than ours that it gets so many times less to do.
    slow: int = 1
    #: A build for comparison, not something a user would pick.
    is_peer: bool = True
    cannot: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Measure:
    name: str
    title: str
    figure: str
    count: int
    #: Less is enough where each takes long, for whoever is slow or not.
    flags: list[str] = field(default_factory=list)


MEASURES = [
    Measure("receive", "receive, µs CPU per message", "cpuUs", 400_000),
    Measure("emit", "emit, µs CPU per message", "cpuUs", 400_000),
    Measure("roundtrip", "emit with acknowledgement, p50 µs", "p50Us", 20_000),
    Measure("pair", "emit and emit with acknowledgement at once, p50 µs", "p50Us", 400),
    Measure("connect", "from nothing to connected, p50 µs", "p50Us", 300),
    Measure("idle", "idle connection, kB", "kbPerClient", 500),
    Measure("inflight", "100,000 acknowledgements in flight, µs CPU each", "cpuUs", 100_000),
]


def drivers(build: Path, python: Path) -> list[Driver]:
    node = ["node", str(DRIVERS / "official.js")]
    return [
        Driver("floor", [str(build / "floor")], is_peer=False, cannot=frozenset({"inflight"})),
        Driver("im_client (C)", [str(build / "bench-ours")], is_peer=False),
        Driver("rust_socketio 0.6", [str(build / "rust_socketio")], 4, cannot=frozenset({"inflight"})),
        Driver("socket.io-client 4.8", [*node, "4"], 4),
        Driver("socket.io-client 2.5", [*node, "2"], 4),
        Driver("python-socketio", [str(python), str(DRIVERS / "python_socketio.py")], 80, cannot=frozenset({"connect", "inflight"})),
    ]


class Server:
    def __init__(self, build: Path, flags: list[str]):
        command = ["taskset", "-c", str(SERVER_CORE), str(build / "load-server"), *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.root = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)


def take(driver: Driver, measure: Measure, build: Path, scale: float) -> dict[str, float]:
    count = max(20, int(measure.count * scale / (1 if measure.name in ("idle", "inflight") else driver.slow)))
    with Server(build, measure.flags) as server:
        command = ["taskset", "-c", str(DRIVER_CORE), *driver.command, server.root, measure.name, str(count)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "target" / "bench")
    parser.add_argument("--python", type=Path, default=ROOT / "target" / "bench" / "venv" / "bin" / "python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of what each measure does")
    parser.add_argument("--only", nargs="*", help="names of measures")
    parser.add_argument("--drivers", nargs="*", help="parts of names of drivers")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    chosen = [m for m in MEASURES if not arguments.only or m.name in arguments.only]
    runners = [
        d
        for d in drivers(arguments.build, arguments.python)
        if not arguments.drivers or any(part in d.name for part in arguments.drivers)
    ]
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    for measure in chosen:
        able = [driver for driver in runners if measure.name not in driver.cannot]
        results[measure.name] = {driver.name: [] for driver in able}
        for _ in range(arguments.rounds):
            for driver in able:
                results[measure.name][driver.name].append(take(driver, measure, arguments.build, arguments.scale))
        show(measure, results[measure.name])
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def show(measure: Measure, taken: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{measure.title}")
    medians = {name: statistics.median(run[measure.figure] for run in runs) for name, runs in taken.items()}
    ours = taken.get("im_client (C)")
    for name, runs in taken.items():
        line = f"  {name:24} {medians[name]:12.2f}"
        if ours and name != "im_client (C)":
            ratio = statistics.median(our[measure.figure] / run[measure.figure] for our, run in zip(ours, runs))
            line += f"   ours is {ratio:.2f} of it"
        extra = {key for run in runs for key in run} - {measure.figure}
        line += "   " + ", ".join(f"{key} {statistics.median(run[key] for run in runs):.1f}" for key in sorted(extra))
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
