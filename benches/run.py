#!/usr/bin/env python3
"""Measures libim_client beside what a user would pick instead, and writes what came out: benches/README.md.

Measures are taken in rounds that visit each driver in turn, so that what else the machine does meets all of them. Ratios are
taken within a round; medians are shown.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benches import page, plan
from benches.fleet import fleet
from benches.musts import rows
from benches.plan import COUNTED, GROWTHS, MEASURES, OURS, PYTHON_MEASURES, Growth, Measure
from benches.processes import ROOT, Driver, Figures, take
from benches.surroundings import surroundings

LARGE = (1_000_000, 50_000_000)


class Bench:
    def __init__(self, build: Path, python: Path, quick: bool):
        self.build, self.quick = build, quick
        self.drivers: dict[str, Driver] = plan.drivers(build, python)

    def measure(self, measure: Measure) -> dict[str, list[Figures]]:
        name = "inflight" if measure.name == "inflight-1000" else measure.name
        count = measure.count // 5 if self.quick and measure.name != "inflight-1000" else measure.count
        taken: dict[str, list[Figures]] = {driver: [] for driver in measure.drivers}
        for _ in range(1 if self.quick else measure.rounds):
            for driver, runs in taken.items():
                share = self.drivers[driver].share(measure.name, count)
                runs.append(take(self.build, self.drivers[driver], name, share))
        for driver, runs in taken.items():
            print(f"  {driver:24}", ", ".join(f"{key} {page.median(runs, key):.2f}" for key in runs[0]), flush=True)
        return taken

    def growth(self, growth: Growth) -> dict[str, list[Any]]:
        taken: dict[str, list[Any]] = {driver: [] for driver in growth.drivers}
        for x, count, size in growth.points:
            if self.quick and x > 1_000:
                continue
            for driver, points in taken.items():
                runs = [
                    take(self.build, self.drivers[driver], growth.measure, count, size)
                    for _ in range(1 if self.quick else 3)
                ]
                points.append([x, runs])
                print(f"  {driver:24} {x:8}", ", ".join(f"{k} {page.median(runs, k):.2f}" for k in runs[0]), flush=True)
        return taken

    def large(self) -> dict[str, Figures]:
        sizes = LARGE[:1] if self.quick else LARGE
        return {
            f"{way} {size}": take(self.build, self.drivers[COUNTED], f"large-{way}", size)
            for way in ("receive", "emit")
            for size in sizes
        }

    def fleets(self) -> dict[str, Figures]:
        counts = (1, 1_000) if self.quick else (1, 10_000)
        return {str(count): fleet(self.build, self.drivers[OURS], count) for count in counts}

    def library_sizes(self) -> dict[str, int]:
        plain = self.build / "bench" / "plain"
        folders = {"tls": self.build / "release", "plain": plain / "release", "small": plain / "small"}
        return {name: (folder / "libim_client.so").stat().st_size for name, folder in folders.items()}

    def everything(self) -> dict[str, Any]:
        results: dict[str, Any] = {"surroundings": surroundings(), "librarySizes": self.library_sizes()}
        results["measures"] = {m.name: say(m.title, self.measure, m) for m in MEASURES}
        results["python"] = {m.name: say(m.title, self.measure, m) for m in PYTHON_MEASURES}
        results["large"] = say("one large message: peak of allocations", lambda _: self.large(), None)
        results["fleets"] = say("a fleet", lambda _: self.fleets(), None)
        results["growth"] = {g.name: say(g.title, self.growth, g) for g in GROWTHS}
        return results


def say(title: str, work: Any, argument: Any) -> Any:
    print(f"\n{title}", flush=True)
    return work(argument)


def verdict(results: dict[str, Any]) -> int:
    """What issue 5 asks for and this run has, or has not."""
    missed = [row for row in rows(results) if not row.holds]
    print()
    for row in rows(results):
        print(f"{'holds ' if row.holds else 'MISSED'}  {row.title}: {row.measured} (must: {row.must})")
    if missed:
        print(f"\n{len(missed)} of {len(rows(results))} rows miss what they must reach.")
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "target", help="where cargo builds")
    parser.add_argument("--quick", action="store_true", help="one round of less; nothing is written")
    parser.add_argument("--only", nargs="+", metavar="MEASURE", help="these measures or plots, for a look; nothing is written")
    parser.add_argument("--check", action="store_true", help="is the page made from its results? measures nothing")
    parser.add_argument("--render", action="store_true", help="makes the page and the plots from the results that are there")
    arguments = parser.parse_args()
    if arguments.check:
        return page.check()
    if arguments.render:
        return publish(json.loads(page.RESULTS.read_text()))
    bench = Bench(arguments.build, Path(sys.executable), arguments.quick)
    if arguments.only:
        return look(bench, arguments.only)
    results = bench.everything()
    if not arguments.quick:
        (arguments.build / "bench" / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        publish(results)
    return verdict(results)


def look(bench: Bench, names: list[str]) -> int:
    for item in (*MEASURES, *PYTHON_MEASURES, *GROWTHS):
        if item.name in names:
            say(item.title, bench.growth if isinstance(item, Growth) else bench.measure, item)
    for name, work in {"large": bench.large, "fleet": bench.fleets}.items():
        if name in names:
            print(json.dumps(work(), indent=1))
    return 0


def publish(results: dict[str, Any]) -> int:
    from benches import plots  # It alone needs matplotlib, which is not there where only the page is checked.

    page.write(page.RESULTS, results)
    plots.draw(results["growth"], page.FOLDER)
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
