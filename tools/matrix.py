#!/usr/bin/env python3
"""Which behaviour was seen to work in which language.

Reads the test reports (JUnit XML, `RESULTS/<language>.xml` or a folder `RESULTS/<language>/` of them), fails unless every
behaviour of bindings/behaviours.json has passing tests in every language, and compares the table of docs with them (or
writes it: --write). A test belongs to a behaviour if its name, without marks and case, has "matrix" and the behaviour's name
in it: `test_matrix_kick_out[2]`, `testMatrixKickOut`.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEHAVIOURS = ROOT / "bindings" / "behaviours.json"
PAGE = ROOT / "docs" / "matrix.md"
LANGUAGES = {"c": "C", "cpp": "C++", "python": "Python", "swift": "Swift", "kotlin": "Kotlin"}
HEAD = """# What was seen to work

Made from the results of the tests (`tools/matrix.py`): ✓ where a language has tests of a behaviour, against real servers,
of both generations where it is one of the wire, and all of them passed. A hole fails `make test`.

"""


@dataclass
class Test:
    name: str
    passed: bool


def normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def tests_of(results: Path, language: str) -> Iterator[Test]:
    one = results / f"{language}.xml"
    for report in [one] if one.is_file() else sorted((results / language).glob("*.xml")):
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            failed = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            yield Test(normal(case.get("name", "")), not failed)


def seen(tests: list[Test], behaviour: str, behaviours: dict[str, str]) -> list[Test]:
    """The tests of a behaviour, and not those of another whose name begins with the same."""
    mark = "matrix" + normal(behaviour)
    longer = ["matrix" + normal(other) for other in behaviours if normal(other).startswith(normal(behaviour))]
    longer.remove(mark)
    return [test for test in tests if mark in test.name and not any(other in test.name for other in longer)]


def rows(results: Path, languages: list[str]) -> tuple[list[str], list[str]]:
    """The table's rows, and what is missing in them."""
    behaviours: dict[str, str] = json.loads(BEHAVIOURS.read_text())
    all_tests = {language: list(tests_of(results, language)) for language in languages}
    table, missing = [], []
    for behaviour, meaning in behaviours.items():
        cells = []
        for language, tests in all_tests.items():
            own = seen(tests, behaviour, behaviours)
            if not own or not all(test.passed for test in own):
                missing.append(f"{LANGUAGES[language]}: {behaviour}: " + ("failed" if own else "no test"))
            cells.append("✓")
        table.append(f"| {meaning} | " + " | ".join(cells) + " |")
    return table, missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "target" / "matrix")
    parser.add_argument("--write", action="store_true", help="write the page instead of comparing it")
    parser.add_argument("languages", nargs="*", choices=[*LANGUAGES, []], help="all, unless some are named")
    arguments = parser.parse_args()
    languages = arguments.languages or list(LANGUAGES)

    table, missing = rows(arguments.results, languages)
    if missing:
        print("the behaviour matrix has holes:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    print(f"the behaviour matrix is whole: {len(table)} behaviours in {len(languages)} languages")
    if languages != list(LANGUAGES):
        return 0
    names = [LANGUAGES[language] for language in languages]
    page = HEAD + "\n".join(["| behaviour | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|", *table]) + "\n"
    if arguments.write:
        PAGE.write_text(page)
    elif PAGE.read_text() != page:
        print("docs/matrix.md is not what the tests gave: run tools/matrix.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
