#!/usr/bin/env python3
"""Counts the instructions of what the library does for one message, and fails where they have become more: benches/README.md.

A time says little on a machine that does other things; a count comes out alike. What is counted is what is shipped: the release
library, driven through its C ABI, under callgrind. Each figure is the difference of two runs of different length, for one of what
they differ by, so that no start-up is in it.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benches.processes import DRIVER_CORE, PATIENCE, ROOT, Server
from benches.surroundings import rustc, said_by

COMMITTED = ROOT / "benches" / "instructions.json"
#: So much more than committed is not yet a change; so much less is one that should be kept.
ROOM = 0.05
#: Threads meet a little differently each time. What has become dearer is so in every one of so many runs.
TRIES = 3
#: The committed figure is the median of so many.
RENEWALS = 5

Counts = Mapping[str, float]


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    measure: str
    #: Of the shorter run and of the longer one.
    counts: tuple[int, int] = (2_000, 12_000)
    more: tuple[int, ...] = ()


CASES = (
    Case("receive", "an event of 338 bytes, from the socket to the callback that reads it", "receive"),
    Case("receive among 100", "the same among 100 subscriptions to other events", "receive-among", more=(100,)),
    Case("emit", "an event of 265 bytes, from the call to the socket", "emit"),
    Case("queue", "the caller's own part of that", "queue"),
    Case("acknowledged", "an event with acknowledgement, to the callback with the answer", "inflight"),
    Case("create", "im_message_create", "create"),
)


def counted(report: str) -> int:
    """The sum that callgrind tells at its end."""
    found = re.search(r"^==\d+== Collected : (\d+)$", report, re.MULTILINE)
    if found is None:
        raise SystemExit(f"callgrind counted nothing:\n{report}")
    return int(found[1])


def count_run(build: Path, root: str, case: Case, count: int) -> int:
    driver = [str(build / "bench" / "ours"), root, case.measure, str(count), *map(str, case.more)]
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = ["taskset", "-c", str(DRIVER_CORE), *callgrind, *driver]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {run.returncode}\n{run.stderr}")
    return counted(run.stderr)


def count_one(build: Path, case: Case) -> float:
    """Instructions of one of what the case does."""
    few, many = case.counts
    with Server(build, profile="debug") as server:
        difference = count_run(build, server.root, case, many) - count_run(build, server.root, case, few)
    return difference / (many - few)


def surroundings() -> dict[str, str]:
    """What the counts depend on beside the code: another compiler, C library or kind of processor has others."""
    flags = re.search(r"^flags\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    wide = "with" if flags and "avx2" in flags[1].split() else "without"
    return {
        "rustc": rustc(),
        "valgrind": said_by("valgrind", "--version"),
        "libc": " ".join(platform.libc_ver()),
        "processor": f"{platform.machine()} {wide} AVX2",
    }


@dataclass(frozen=True)
class Verdict:
    dearer: tuple[str, ...]
    cheaper: tuple[str, ...]


def judge(committed: Counts, found: Counts) -> Verdict:
    """A case that is not committed has no figure to hold, so it counts as dearer."""
    dearer = [name for name, count in found.items() if count > committed.get(name, 0) * (1 + ROOM)]
    cheaper = [name for name, count in found.items() if count < committed.get(name, 0) * (1 - ROOM)]
    return Verdict(tuple(dearer), tuple(cheaper))


def check(build: Path) -> int:
    kept = json.loads(COMMITTED.read_text())
    committed: Counts = kept["perOperation"]
    found: dict[str, float] = {}
    for case in CASES:
        for _ in range(TRIES):
            found[case.name] = min(found.get(case.name, float("inf")), count_one(build, case))
            if case.name not in judge(committed, found).dearer:
                break
        tell(case, found[case.name], committed.get(case.name))
    if kept["with"] != surroundings():
        print(f"\nNothing is judged: the committed counts were made with {kept['with']}, and here is {surroundings()}.")
        return 0
    return say(judge(committed, found))


def tell(case: Case, count: float, committed: float | None) -> None:
    change = f"{count / committed - 1:+.1%}" if committed else "not committed"
    print(f"{case.name:18} {count:8,.0f} instructions  {change:>7}   {case.what}", flush=True)


def say(verdict: Verdict) -> int:
    if verdict.cheaper:
        print(f"\nMuch fewer: {', '.join(verdict.cheaper)}. Keep that: make instructions-renew, and commit {COMMITTED.name}.")
    if verdict.dearer:
        print(f"\nMORE than {ROOM:.0%} above what {COMMITTED.name} allows: {', '.join(verdict.dearer)}.")
        print("If that has to be so: make instructions-renew, and say why where you commit it.")
    return 1 if verdict.dearer else 0


def renew(build: Path) -> int:
    figures = {}
    for case in CASES:
        taken = [count_one(build, case) for _ in range(RENEWALS)]
        figures[case.name] = round(statistics.median(taken))
        spread = (max(taken) - min(taken)) / figures[case.name]
        print(f"{case.name:18} {figures[case.name]:8,} instructions  spread {spread:.1%} of {RENEWALS}   {case.what}", flush=True)
    COMMITTED.write_text(json.dumps({"with": surroundings(), "perOperation": figures}, indent=1) + "\n")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "target", help="where cargo builds")
    parser.add_argument("--renew", action="store_true", help="writes what is counted now, for the next checks to hold")
    arguments = parser.parse_args()
    return renew(arguments.build) if arguments.renew else check(arguments.build)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
