"""The page of the documentation: what stands between its markers is made from the results beside its plots."""

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from benches.musts import Row, rows
from benches.plan import MEASURES, PYTHON_MEASURES, Measure
from benches.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "docs" / "_static" / "bench"
RESULTS = FOLDER / "results.json"
BEGIN, END = "<!-- measured: made by benches/run.py -->\n", "<!-- /measured -->"


def median(runs: Iterable[dict[str, float]], figure: str) -> float:
    return statistics.median(run[figure] for run in runs)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    all_lines = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in all_lines)


def amount(value: float) -> str:
    """Three digits, or all before the point."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def musts(results: dict[str, Any]) -> str:
    def said(row: Row) -> list[str]:
        aim = f"{row.aim} ({'reached' if row.reached else 'not yet'})" if row.aim else ""
        return [row.title, row.must, row.measured, "yes" if row.holds else "**no**", aim]

    return table(["measure", "must", "measured", "holds", "aim for"], map(said, rows(results)))


def side_by_side(measures: Sequence[Measure], taken: dict[str, Any]) -> str:
    """One line for each driver, one column for each figure."""
    columns = [(m, key, f"{m.title}, {heading}") for m in measures for key, heading in m.figures]
    names = list(dict.fromkeys(driver for measure in measures for driver in measure.drivers))
    lines = [
        [name, *(amount(median(taken[m.name][name], key)) if name in taken[m.name] else "" for m, key, _ in columns)]
        for name in names
    ]
    return table(["client", *(heading for *_, heading in columns)], lines)


def fleet(results: dict[str, Any]) -> str:
    headings = {
        "kbPerClient": "kB per client",
        "idleCpuMsPerSecond": "CPU while idle, ms per second",
        "threads": "threads of the library, at most",
        "backFirst": "first back, s",
        "backP50": "half are back, s",
        "backLast": "last back, s",
    }
    lines = [[f"{int(count):,}", *(amount(run[key]) for key in headings)] for count, run in results["fleets"].items()]
    return table(["clients", *headings.values()], lines)


def measured(results: dict[str, Any]) -> str:
    around = table(["", ""], [[name, value] for name, value in results["surroundings"].items()])
    return "\n".join(
        [
            "### What it must reach\n",
            musts(results),
            "### Side by side\n",
            side_by_side(MEASURES[:2] + MEASURES[5:6], results["measures"]),
            side_by_side(MEASURES[2:5], results["measures"]),
            side_by_side(MEASURES[6:], results["measures"]),
            side_by_side(PYTHON_MEASURES, results["python"]),
            "### A fleet\n",
            fleet(results),
            "### Made by\n",
            around,
        ]
    )


def rendered(results: dict[str, Any]) -> str:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{measured(results)}\n{END}{after}"


def write(results: dict[str, Any]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(rendered(results))


def check() -> int:
    if PAGE.read_text() == rendered(json.loads(RESULTS.read_text())):
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what {RESULTS.relative_to(ROOT)} gives: benches/run.py --render", file=sys.stderr)
    return 1
