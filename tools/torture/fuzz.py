"""Runs every fuzz target so many times, two at a time, from its committed corpus: `make torture-fuzz`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.torture.rows import Row, write

ROOT = Path(__file__).resolve().parents[2]
WHAT = {
    "engineio_v3": "Engine.IO 3: packets, handshakes and payloads",
    "engineio_v4": "Engine.IO 4: packets, handshakes and payloads",
    "socketio_v4": "Socket.IO of 2.x servers: packets with their attachments",
    "socketio_v5": "Socket.IO of 3.x and 4.x servers: packets with their attachments",
    "msgpack": "Socket.IO packets of the msgpack parser",
    "options": "the options of a client",
    "envelope": "the envelope of IM events",
    "abi": "the C ABI: calls with stale handles, broken texts, callbacks that call back",
}
# libFuzzer would go on for ever with inputs that are not an error, only slow.
LONGEST_INPUT = {"abi": 400, "options": 1000}


def command(target: str, programs: Path, place: Path, seed: int) -> list[str]:
    grown = place / target
    grown.mkdir(parents=True, exist_ok=True)
    return [
        str(programs / target),
        str(grown),
        str(ROOT / "fuzz/corpus" / target),
        f"-seed={seed}",
        f"-max_len={LONGEST_INPUT.get(target, 500)}",
        "-rss_limit_mb=4096",
        "-timeout=30",
        "-print_final_stats=1",
        # Nobody else writes into the corpus.
        "-reload=0",
        f"-artifact_prefix={place}/{target}-",
    ]


def environment(target: str, most: int) -> dict[str, str]:
    """What the sanitizers, and the ABI's target, are told."""
    # One execution frees far less than this, and AddressSanitizer's own quarantine of 256 MB never comes back into the processor's
    # caches. Where memory was taken is told as deep as it takes to know one allocation from another.
    asan = "quarantine_size_mb=8:malloc_context_size=8"
    told = {"ASAN_OPTIONS": asan, "LSAN_OPTIONS": f"suppressions={ROOT}/fuzz/lsan.supp:print_suppressions=0"}
    return os.environ | told | ({"IM_FUZZ_CALLS": str(most)} if target == "abi" else {})


def counted(target: str, log: str) -> int:
    """How many executions there were, or calls: by what the program itself says at its end."""
    pattern = r"^(\d+) calls$" if target == "abi" else r"^Done (\d+) runs in"
    found = re.search(pattern, log, re.MULTILINE)
    return int(found.group(1)) if found else 0


def fuzz(target: str, programs: Path, build: Path, most: int, seed: int) -> Row:
    place = build / "torture" / "fuzz"
    line = command(target, programs, place, seed)
    # The ABI's target counts for itself, and looks for what is lost at its end.
    line.append("-detect_leaks=0" if target == "abi" else f"-runs={most}")
    start = time.monotonic()
    done = subprocess.run(line, env=environment(target, most), capture_output=True, text=True, errors="replace", check=False)
    log = done.stdout + done.stderr
    (place / f"{target}.log").write_text(log)
    tried = counted(target, log)
    failed = done.returncode != 0 or tried < most
    if failed:
        print(f"{target}: exit status {done.returncode}, {tried} of {most}\n{log[-3000:]}", file=sys.stderr)
    unit = "calls" if target == "abi" else "executions"
    return Row("fuzzing", WHAT[target], tried, unit, int(failed), None, round(time.monotonic() - start, 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the target folder")
    parser.add_argument("--programs", type=Path, required=True, help="the folder of the built targets")
    parser.add_argument("--runs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    (given.build / "torture" / "fuzz").mkdir(parents=True, exist_ok=True)

    def one(target: str) -> Row:
        row = fuzz(target, given.programs, given.build, given.runs, given.seed)
        print(f"{target}: {row.tried} {row.unit}, {row.failures} findings, {row.seconds} s", flush=True)
        return row

    # Those that take longest first.
    order = ["abi", "options", *(target for target in WHAT if target not in ("abi", "options"))]
    with ThreadPoolExecutor(max_workers=2) as pool:
        rows = list(pool.map(one, order))
    write(given.build, "fuzz", rows)
    return 0 if all(row.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
