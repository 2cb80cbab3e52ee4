#!/usr/bin/env python3
"""Writes what the library is built from as a CycloneDX bill of materials: `make sbom`.

Of our own, because cargo-cyclonedx takes minutes to build and its output names the moment at which it was made; this one is the
same for the same sources, features and compiler. What it says comes from cargo itself: the tree from `cargo tree`, which alone
knows the features that are on, licences from `cargo metadata`, checksums from Cargo.lock.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "im-client"
LINE = re.compile(r"^(\d+)(\S+) v(\S+)")
Crate = tuple[str, str]
Json = dict[str, Any]


def run(*line: str) -> str:
    return subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def of_rustc(field: str) -> str:
    return run("rustc", "-vV").split(f"{field}: ")[1].splitlines()[0]


def tree(edges: str) -> dict[Crate, set[Crate]]:
    """The crates, and what each of them wants."""
    wants: dict[Crate, set[Crate]] = defaultdict(set)
    above: list[Crate] = []
    shown = run(
        *("cargo", "tree", "--locked", "-p", PACKAGE, "-e", edges, "--target", of_rustc("host")),
        *("--prefix", "depth", "--format", "{p}"),
    )
    for line in filter(None, shown.splitlines()):
        found = LINE.match(line)
        if not found:
            raise ValueError(f"cargo tree says {line!r}")
        depth, crate = int(found[1]), (found[2], found[3])
        above[depth:] = [crate]
        wants[crate].update()
        if depth > 0:
            wants[above[depth - 1]].add(crate)
    return dict(wants)


def name_of(crate: Crate) -> str:
    return f"pkg:cargo/{crate[0]}@{crate[1]}"


def component(package: Json, checksum: str | None, in_library: bool) -> Json:
    if not package["license"]:
        raise ValueError(f"{package['name']} names no licence")
    crate = (package["name"], package["version"])
    made: Json = {
        "type": "library",
        "bom-ref": name_of(crate),
        "name": crate[0],
        "version": crate[1],
        # Built with it, but no part of it: macros, and what makes the header.
        "scope": "required" if in_library else "excluded",
        # Older crates write a slash.
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": name_of(crate),
    }
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def standard_library() -> Json:
    version = of_rustc("release")
    purl = f"pkg:generic/rust-std@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": "rust-std",
        "version": version,
        "description": f"Rust's standard library, as rustc {version} ({of_rustc('commit-hash')}) brings it",
        "scope": "required",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": purl,
    }


def bill() -> Json:
    in_library, everything = tree("normal,no-proc-macro"), tree("normal,build")
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", of_rustc("host")))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in locked}

    def described(crate: Crate) -> Json:
        return component(packages[crate], checksums[crate], crate in in_library)

    (root,) = [crate for crate in everything if crate[0] == PACKAGE]
    std = standard_library()
    wanted = {name_of(crate): sorted(map(name_of, wants)) for crate, wants in everything.items()}
    wanted[name_of(root)] = sorted([*wanted[name_of(root)], std["bom-ref"]])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": described(root)},
        "components": [*(described(crate) for crate in sorted(everything) if crate != root), std],
        "dependencies": [{"ref": ref, "dependsOn": wanted[ref]} for ref in sorted(wanted)] + [{"ref": std["bom-ref"]}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--write", type=Path, required=True)
    given = parser.parse_args()
    made = bill()
    given.write.parent.mkdir(parents=True, exist_ok=True)
    given.write.write_text(json.dumps(made, indent=1) + "\n")
    scopes = [component["scope"] for component in made["components"]]
    print(f"{scopes.count('required')} parts of the library, {scopes.count('excluded')} that only build it: {given.write}")


if __name__ == "__main__":
    main()
