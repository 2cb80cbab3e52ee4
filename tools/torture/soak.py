"""Draws what the process of the soak held: docs/_static/trust/soak.svg, and the samples behind it in soak.csv beside it."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib  # type: ignore[import-not-found]
from matplotlib import pyplot

from tools.torture.rows import folder

PLACE = Path(__file__).resolve().parents[2] / "docs/_static/trust"
# Enough for the eye, and a small file.
MOST_SAMPLES = 180
PANELS: list[tuple[str, list[tuple[str, str, float]]]] = [
    ("memory, MB", [("resident_kb", "resident", 1024), ("heap_kb", "of the heap", 1024)]),
    ("descriptors", [("descriptors", "", 1)]),
    ("threads", [("threads", "", 1)]),
]

matplotlib.use("svg")
# Without these two, ids are random and the date is in the file.
matplotlib.rcParams.update({"svg.hashsalt": "im-client", "svg.fonttype": "none", "font.size": 9})
METADATA = {"Date": None, "Creator": None}


def read(file: Path) -> list[dict[str, float]]:
    with file.open(newline="") as lines:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def thinned(samples: list[dict[str, float]]) -> list[dict[str, float]]:
    return samples[:: -(-len(samples) // MOST_SAMPLES)]


def write(samples: list[dict[str, float]], file: Path) -> None:
    lines = [",".join(samples[0]), *(",".join(f"{value:g}" for value in sample.values()) for sample in samples)]
    file.write_text("\n".join(lines) + "\n")


def draw(samples: list[dict[str, float]], file: Path) -> None:
    minutes = [sample["second"] / 60 for sample in samples]
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(4.2 * len(PANELS), 3))
    for axis, (heading, lines) in zip(axes, PANELS, strict=True):
        for column, label, unit in lines:
            axis.plot(minutes, [sample[column] / unit for sample in samples], label=label, linewidth=1)
        axis.set(xlabel="minutes", ylabel=heading)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        if len(lines) > 1:
            axis.legend(loc="lower right")
    figure.suptitle("A hundred users, their proxy and a server that is killed again and again")
    figure.tight_layout()
    figure.savefig(file, metadata=METADATA)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="the target folder")
    given = parser.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    samples = read(folder(given.build) / "soak.csv")
    write(thinned(samples), PLACE / "soak.csv")
    draw(samples, PLACE / "soak.svg")


if __name__ == "__main__":
    main()
