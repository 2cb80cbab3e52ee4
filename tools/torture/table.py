"""The table of `make torture`: what was tried, how often, what failed, what was lost. Fails where a part is missing or not good.

--write puts it into docs/trust.md.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from pathlib import Path

from tools.torture.rows import Row, read

PAGE = Path(__file__).resolve().parents[2] / "docs/trust.md"
BEGIN, END = "<!-- The table of make torture -->", "<!-- Its end -->"


def line(row: Row) -> str:
    lost = "" if row.lost is None else f"{row.lost:,}"
    return f"| {row.part} | {row.what} | {row.tried:,} {row.unit} | {row.failures:,} | {lost} | {row.seconds:,.0f} |"


def table(rows: list[Row]) -> str:
    head = ["| part | what was tried | how often | failures | lost | seconds |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(line, rows)])


def made() -> str:
    commit = ["git", "rev-parse", "--short", "HEAD"]
    short = subprocess.run(commit, capture_output=True, text=True, check=True, cwd=PAGE.parent).stdout.strip()
    return f"Made on {datetime.date.today()} from {short}."


def write_page(text: str) -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description="The table of `make torture`.")
    parser.add_argument("--build", type=Path, required=True, help="the target folder")
    parser.add_argument("--write", action="store_true", help="into docs/trust.md")
    parser.add_argument("parts", nargs="+")
    given = parser.parse_args()
    rows = [row for part in given.parts for row in read(given.build, part)]
    print(table(rows))
    if given.write:
        write_page(f"{made()}\n\n{table(rows)}")
    return 0 if all(row.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
