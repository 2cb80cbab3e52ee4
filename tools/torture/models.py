"""Runs the models of the library's concurrency (tests/models), and the faults that they must find.

Every model runs its executions over the real source (in the short form over the copy with the faults, while none is armed); then each
fault is armed in the copy, where its models must fail.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.models.faults import FAULTS, HERE, OLD_WORDS, ROOT, arm, found_by
from tools.torture.rows import Row, write

WATCHDOG_SECONDS = 900
SCHEDULE = "failing schedule:"
"""What shuttle writes where an execution fails."""
MOST = 20_000
"""A fault is looked for in so many executions at most."""


@dataclass(frozen=True)
class Run:
    """One model, with a fault or without."""

    program: Path
    model: str
    executions: int
    seed: int
    fault: str | None = None

    def fails(self) -> str | None:
        """What was said, where the model did not pass."""
        command = [str(self.program), self.model, str(self.executions), str(self.seed)]
        command += [self.fault] if self.fault else []
        ran = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RUST_BACKTRACE": "0"},
            text=True,
            timeout=WATCHDOG_SECONDS,
            check=False,
        )
        return None if ran.returncode == 0 else f"{' '.join(command)}: {ran.returncode}\n{ran.stdout[-4000:]}"

    def finds(self) -> bool:
        """Did its oracle, or a deadlock, end it? A program that does not even start has found nothing."""
        return SCHEDULE in (self.fails() or "")


def build(crate: Path, target: Path, name: str) -> Path:
    """Both builds share what they depend on; each program is kept under its own name."""
    manifest = str(crate / "Cargo.toml")
    command = ["cargo", "build", "--locked", "--quiet", "--manifest-path", manifest, "--target-dir", str(target)]
    subprocess.run(command, check=True)
    kept = target / name
    shutil.copy2(target / "debug/models", kept)
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description="The models of the library's concurrency.")
    parser.add_argument("--build", type=Path, required=True, help="the target folder")
    parser.add_argument("--executions", type=int, required=True, help="of each model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--row", action="store_true", help="leave a row for the table of make torture")
    given = parser.parse_args()

    target = given.build / "models"
    wrong = build(arm(target / "armed"), target, "wrong")
    # Where nothing is armed, the copy does what the source does: in the short form one build is enough.
    right = build(ROOT / HERE, target, "right") if given.row else wrong
    models = subprocess.run([str(right), "--list"], capture_output=True, text=True, check=True).stdout.split()
    faults = [(fault, model) for fault in [*(fault.name for fault in FAULTS), OLD_WORDS] for model in found_by(fault)]
    unproved = set(models) - {model for _, model in faults}
    if unproved or not models:
        print(f"no fault shows that these models can fail: {', '.join(sorted(unproved))}")
        return 1

    start = time.monotonic()
    runs = [Run(right, model, given.executions, given.seed) for model in models]
    hunts = [Run(wrong, model, MOST, given.seed, fault) for fault, model in faults]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [said for said in pool.map(Run.fails, runs) if said]
        missed = [hunt for hunt, found in zip(hunts, pool.map(Run.finds, hunts), strict=True) if not found]
    seconds = time.monotonic() - start
    for said in failed:
        print(said)
    for hunt in missed:
        print(f"the model {hunt.model} does not find the fault {hunt.fault}")
    planted = len({fault for fault, _ in faults})
    what = (
        f"{len(models)} models of threads over the real code, in any order; {planted} planted faults, found in "
        f"{len(hunts) - len(missed)} of {len(hunts)} searches"
    )
    print(f"{len(models)} models, {given.executions:,} executions each; {len(hunts)} faults; {seconds:.0f} s")
    if given.row:
        failures = len(failed) + len(missed)
        row = Row("models", what, len(models) * given.executions, "executions", failures, None, seconds)
        write(given.build, "models", [row])
    return 1 if failed or missed else 0


if __name__ == "__main__":
    sys.exit(main())
