"""Runs the tests against servers that lie, so many times, and counts them: `make torture-hostile`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tools.torture.rows import Row, write

# Of the suite: what a server says that it should not.
TESTS = ["bad_input::", "tls::", "polling::endless", "polling::faults", "polling::hostile", "polling::through_nginx"]
WHAT = (
    "servers that lie: in the handshake, in frames, packets, attachments, acknowledgements, lengths, headers, redirects, in the "
    "pace, in TLS; that flood; and proxies that break what passes"
)


def counted(log: str) -> tuple[int, int]:
    """How many passed and failed, by what the test program says at its end; what did not run as it should failed, too."""
    found = re.search(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", log, re.MULTILINE)
    if not found:
        return 0, 1
    passed, failed, ignored = (int(number) for number in found.groups())
    return passed, failed + ignored + len(missing(log))


def missing(log: str) -> list[str]:
    """Of which nothing ran: it may have another name by now."""
    ran = re.findall(r"^test (\S+) \.\.\. ", log, re.MULTILINE)
    return [tests for tests in TESTS if not any(name.startswith(tests) for name in ran)]


def once() -> tuple[int, int]:
    command = ["cargo", "test", "--locked", "--test", "suite", "--", *TESTS]
    # As in `make test`: most of them wait, for a server that says nothing or a timer.
    environment = {**os.environ, "RUST_TEST_THREADS": "6"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment)
    passed, failed = counted(done.stdout)
    if done.returncode != 0:
        failed = max(failed, 1)
    if failed > 0:
        print(done.stdout[-5000:], done.stderr[-2000:], f"nothing ran of {missing(done.stdout)}", file=sys.stderr)
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the target folder")
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    start = time.monotonic()
    results = [once() for _ in range(given.times)]
    passed, failed = (sum(column) for column in zip(*results, strict=True))
    row = Row("hostile", WHAT, passed + failed, "cases", failed, None, round(time.monotonic() - start, 1))
    print(f"hostile servers: {passed:,} passed, {failed:,} failed, in {row.seconds:,.0f} s")
    write(given.build, "hostile", [row])
    return 0 if row.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
