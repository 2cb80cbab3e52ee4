#!/usr/bin/env python3
"""Holds the C ABI against its committed baseline, abi/libim_client.abi: `make abi`, and `make abi-renew` after a change that is meant.

The types and functions are those of the header, compiled by gcc into a library of empty functions: what the library itself has in
its debug information are Rust's. What the library exports is the header's functions and nothing else.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include/im_client.h"
BASELINE = ROOT / "abi/libim_client.abi"
PROTOTYPE = re.compile(r"^([\w \t*]+?\*?)\s*\b(im_\w+)\(([^;{]*)\);", re.MULTILINE)
# Only where Android is built for.
ELSEWHERE = {"im_android_init"}


def run(*line: str | Path) -> str:
    return subprocess.run([str(word) for word in line], check=True, capture_output=True, text=True).stdout


def prototypes(header: Path = HEADER) -> list[tuple[str, str, str]]:
    """Result, name and parameters of every function of the header."""
    text = run("gcc", "-E", "-P", header)
    found = [match for match in PROTOTYPE.findall(text) if "typedef" not in match[0]]
    return [(result.strip(), name, parameters) for result, name, parameters in found]


def stub(place: Path, header: Path = HEADER) -> Path:
    """A library of the header's functions, which do nothing."""
    place.mkdir(parents=True, exist_ok=True)
    bodies = [f"{result} {name}({parameters}) {{ __builtin_trap(); }}" for result, name, parameters in prototypes(header)]
    (place / "stub.c").write_text("\n".join(["#include <im_client.h>", *bodies, ""]))
    library = place / "libim_client.so"
    run(
        *("gcc", "-std=c11", "-g", "-w", "-shared", "-fPIC", "-I", header.parent),
        *("-Wl,-soname,libim_client.so.0", place / "stub.c", "-o", library),
    )
    return library


def exported(library: Path) -> set[str]:
    lines = run("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def describe(place: Path, header: Path = HEADER) -> Path:
    """The description of a header's ABI, in a file."""
    described = place / "libim_client.abi"
    quiet = ("--no-corpus-path", "--no-comp-dir-path", "--no-show-locs")
    place.mkdir(parents=True, exist_ok=True)
    described.write_text(run("abidw", *quiet, stub(place, header)))
    return described


def changes(now: Path) -> str:
    """What is other than in the baseline; nothing where it is the same."""
    compared = subprocess.run(["abidiff", BASELINE, now], check=False, capture_output=True, text=True)
    return compared.stdout + compared.stderr if compared.returncode != 0 else ""


def wrong_symbols(library: Path, header: Path = HEADER) -> list[str]:
    declared = {name for _, name, _ in prototypes(header)} - ELSEWHERE
    there = exported(library)
    missing = [f"{library.name} has no {name}" for name in sorted(declared - there)]
    return missing + [f"{library.name} exports {name}, which is not in the header" for name in sorted(there - declared)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--place", type=Path, required=True, help="a folder for what is made")
    parser.add_argument("--library", type=Path, required=True, help="the built library")
    parser.add_argument("--renew", action="store_true")
    given = parser.parse_args()
    now = describe(given.place)
    if given.renew:
        BASELINE.write_text(now.read_text())
    wrong = wrong_symbols(given.library)
    if changed := changes(now):
        wrong.append(changed)
        wrong.append("The ABI is not that of abi/libim_client.abi. If it is meant: a line in CHANGELOG.md, and `make abi-renew`.")
    print("\n".join(wrong) or f"{len(prototypes())} functions, as in the baseline")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
