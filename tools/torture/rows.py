"""The rows of the table of `make torture`: each part of it leaves its own in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """What was tried, how often, and what came of it; all counted by the run."""

    part: str
    what: str
    tried: int
    unit: str
    failures: int
    """None where nothing can be lost."""
    lost: int | None
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.tried > 0 and self.failures == 0 and not self.lost


def folder(build: Path) -> Path:
    return build / "torture"


def write(build: Path, part: str, rows: list[Row]) -> None:
    folder(build).mkdir(parents=True, exist_ok=True)
    path = folder(build) / f"{part}.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def read(build: Path, part: str) -> list[Row]:
    """A part may have left several files: `part.json`, `part-more.json`. Fails where there is none."""
    files = sorted(folder(build).glob(f"{part}*.json"))
    if not files:
        raise FileNotFoundError(f"no row of {part} in {folder(build)}")
    return [Row(**row) for file in files for row in json.loads(file.read_text())]
