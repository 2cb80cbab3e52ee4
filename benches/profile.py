#!/usr/bin/env python3
"""Where the nanoseconds of one message go: samples the driver of ours at work, and gives each sample to a layer: benches/README.md.

What a message costs is what the driver says of the run that is sampled; the samples say how it is shared out. Only the library has
to be built with line tables (the profile `profiling`), for a sample is found by its own place and what is inlined there. Who called
it is known in the kernel alone.
"""

import argparse
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from benches import page
from benches.layers import LAYERS, Place, layer_of
from benches.processes import ROOT, Driver, Run, Server
from benches.surroundings import processor, rustc, said_by

#: Addresses from here on are the kernel's.
KERNEL_SPACE = 1 << 63
PER_SECOND = 4999
#: Measures of the driver, what the page calls them, and how many messages.
WAYS = {"receive": ("received, ns", 3_000_000), "emit": ("emitted, ns", 3_000_000)}


@dataclass(frozen=True)
class Step:
    """One place of a call chain: its address within the file, the function and the file."""

    address: int
    symbol: str
    file: str


def sampled(build: Path, measure: str, count: int) -> tuple[float, Path]:
    """Nanoseconds of a message, and what perf recorded."""
    recorded = build / "bench" / f"{measure}.perf"
    perf = ("perf", "record", "-q", "-e", "cpu-clock", "-F", str(PER_SECOND), "-g", "-o", str(recorded))
    with Server(build) as server:
        run = Run(Driver("profiled", (*perf, str(build / "bench" / "ours-profiled"))), server.root, measure, count)
        figures = list(run.lines())[-1]
        run.finish()
    return figures["cpuUs"] * 1000, recorded


def chains(recorded: Path) -> Iterator[list[Step]]:
    script = ["perf", "script", "-i", str(recorded), "-F", "comm,ip,sym,dso"]
    said = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    for block in said.split("\n\n"):
        steps = re.findall(r"^\s+([0-9a-f]+) (.*) \((.*)\)$", block, re.MULTILINE)
        if steps:
            yield [Step(int(address, 16), symbol, file) for address, symbol, file in steps]


class Sources:
    """The source files that the code of the library at an address comes from, the innermost inlined function first."""

    def __init__(self, library: Path, addresses: set[int]):
        shift = code_shift(library)
        asked = "".join(f"{address + shift:#x}\n" for address in addresses)
        command = ["addr2line", "-a", "-i", "-e", str(library)]
        said = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
        self.files: dict[int, tuple[str, ...]] = {}
        for block in re.split(r"^0x", said, flags=re.MULTILINE)[1:]:
            address, *lines = block.splitlines()
            self.files[int(address, 16) - shift] = tuple(map(from_root, lines))

    def of(self, step: Step) -> tuple[str, ...]:
        return self.files.get(step.address, ())


def from_root(line: str) -> str:
    return os.path.normpath(line.rsplit(":", 1)[0]).removeprefix(f"{ROOT}/")


def code_shift(library: Path) -> int:
    """perf tells where code stands in the file, the line tables where it stands in memory."""
    segments = said_by("readelf", "-lW", str(library))
    found = re.search(r"^\s*LOAD\s+(0x\w+)\s+(0x\w+)\s.*R E", segments, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{library} has no code")
    return int(found[2], 16) - int(found[1], 16)


def place(chain: list[Step], sources: Sources) -> Place:
    # Beyond the kernel a chain is a guess: the library keeps no frame pointers.
    kernel = tuple(step.symbol for step in takewhile(lambda step: step.address >= KERNEL_SPACE, chain))
    if kernel:
        return Place(kernel=kernel)
    return Place(files=sources.of(chain[0]) if is_ours(chain[0]) else (), symbol=chain[0].symbol)


def is_ours(step: Step) -> bool:
    return "libim_client" in step.file


def profile(build: Path, measure: str) -> dict[str, Any]:
    title, count = WAYS[measure]
    nanoseconds, recorded = sampled(build, measure, count)
    found = list(chains(recorded))
    # Samples that perf lost would be missing from one layer more than from another.
    covered = len(found) * 1e9 / PER_SECOND / (nanoseconds * count)
    print(f"\n{measure}: {nanoseconds:.0f} ns a message; the samples cover {covered:.0%} of its CPU time")
    addresses = {chain[0].address for chain in found if is_ours(chain[0])}
    sources = Sources(build / "profiling" / "libim_client.so", addresses)
    functions = Counter((layer_of(place(chain, sources)), chain[0].symbol) for chain in found)
    layers = {layer: share(functions, layer) for layer in LAYERS if share(functions, layer) > 0}
    tell(nanoseconds, layers, functions)
    return {"title": title, "nsPerMessage": round(nanoseconds, 1), "samples": len(found), "layers": layers}


def share(functions: Counter[tuple[str, str]], layer: str) -> float:
    here = sum(count for (other, _), count in functions.items() if other == layer)
    return round(here / functions.total(), 5)


def tell(nanoseconds: float, layers: dict[str, float], functions: Counter[tuple[str, str]]) -> None:
    """With the functions that make up most of each layer, so that a rule that is wrong can be seen."""
    for layer, part in layers.items():
        print(f"{nanoseconds * part:8.0f}  {layer}")
        most = [(symbol, count) for (other, symbol), count in functions.most_common() if other == layer][:5]
        for symbol, count in most:
            print(f"{nanoseconds * count / functions.total():16.0f}  {symbol}")


def surroundings() -> dict[str, str]:
    return {
        "sampled by": f"{said_by('perf', '--version')}, cpu-clock, {PER_SECOND} a second",
        "machine": processor(),
        "im_client": said_by("git", "describe", "--always", "--dirty"),
        "rustc": rustc(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "target", help="where cargo builds")
    parser.add_argument("--look", action="store_true", help="writes nothing")
    arguments = parser.parse_args()
    ways = {measure: profile(arguments.build, measure) for measure in WAYS}
    if not arguments.look:
        page.write(page.PROFILE, {"surroundings": surroundings(), "ways": ways})
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
