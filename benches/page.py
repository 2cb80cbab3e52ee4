"""The page of the documentation: what stands between its markers is made from the results that lie beside its plots."""

import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benches.layers import LAYERS
from benches.musts import Row, rows
from benches.plan import MEASURES, PYTHON_MEASURES, Measure
from benches.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "docs" / "_static" / "bench"
RESULTS, PROFILE = FOLDER / "results.json", FOLDER / "profile.json"


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


def profiled(profile: dict[str, Any]) -> str:
    """Nanoseconds of a message in each layer; layers in which none of them was seen are left out."""
    ways = profile["ways"]

    def nanoseconds(way: dict[str, Any], layer: str) -> str:
        return amount(way["nsPerMessage"] * way["layers"].get(layer, 0))

    lines = [
        [layer, *(nanoseconds(way, layer) for way in ways.values())]
        for layer in LAYERS
        if any(layer in way["layers"] for way in ways.values())
    ]
    samples = ["samples", *(amount(way["samples"]) for way in ways.values())]
    total = ["**all**", *(f"**{amount(way['nsPerMessage'])}**" for way in ways.values())]
    around = table(["", ""], [[name, value] for name, value in profile["surroundings"].items()])
    return f"{table(['layer', *(way['title'] for way in ways.values())], [*lines, total, samples])}\n{around}"


#: Between which markers of the page stands what, made from which file.
SECTIONS: tuple[tuple[str, str, Path, Callable[[dict[str, Any]], str]], ...] = (
    ("<!-- measured: made by benches/run.py -->\n", "<!-- /measured -->", RESULTS, measured),
    ("<!-- profiled: made by benches/profile.py -->\n", "<!-- /profiled -->", PROFILE, profiled),
)


def rendered() -> str:
    text = PAGE.read_text()
    for begin, end, results, section in SECTIONS:
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}\n{section(json.loads(results.read_text()))}\n{end}{after}"
    return text


def write(file: Path, results: dict[str, Any]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(rendered())


def check() -> int:
    if PAGE.read_text() == rendered():
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what the results in {FOLDER.relative_to(ROOT)} give: benches/run.py --render", file=sys.stderr)
    return 1
