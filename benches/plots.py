"""The plots of what grows: the same file for the same figures, byte for byte."""

from pathlib import Path
from typing import Any

import matplotlib  # type: ignore[import-not-found]
from matplotlib import pyplot

from benches.page import median
from benches.plan import GROWTHS, Growth

matplotlib.use("svg")
# Without these two, ids are random and the date is in the file.
matplotlib.rcParams.update({"svg.hashsalt": "im-client", "svg.fonttype": "none", "font.size": 9})
METADATA = {"Date": None, "Creator": None}


def draw(taken: dict[str, Any], folder: Path) -> None:
    for growth in GROWTHS:
        plot(growth, taken[growth.name], folder / f"{growth.name}.svg")


def plot(growth: Growth, taken: dict[str, Any], file: Path) -> None:
    figure, axes = pyplot.subplots(1, len(growth.figures), figsize=(4.2 * len(growth.figures), 3), squeeze=False)
    for axis, (key, heading) in zip(axes[0], growth.figures, strict=True):
        for driver, points in taken.items():
            values = [(x, median(runs, key)) for x, runs in points]
            axis.plot(*zip(*values, strict=True), marker="o", markersize=4, label=driver)
        # What is to be flat is shown from 0; what grows with x, or shrinks, by its slope.
        flat = key == "cpuUs" and growth.along != "bytes"
        axis.set(xscale="log", yscale="linear" if flat else "log", xlabel=growth.along, ylabel=heading)
        if flat:
            axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        if len(taken) > 1:
            axis.legend()
    figure.suptitle(growth.title)
    figure.tight_layout()
    figure.savefig(file, metadata=METADATA)
    pyplot.close(figure)
