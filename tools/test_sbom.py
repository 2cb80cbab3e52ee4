"""The bill of materials is valid, whole, and the same each time: `make sbom`."""

from __future__ import annotations

import json
import os
import re
import tomllib
import unittest
from pathlib import Path

# The linter has them not: they are installed by `make sbom-test` alone.
from cyclonedx.schema import SchemaVersion  # type: ignore[import-not-found]
from cyclonedx.validation.json import JsonStrictValidator  # type: ignore[import-not-found]

from tools import sbom

ROOT = Path(__file__).resolve().parents[1]
BILL = Path(os.environ["IM_SBOM"])
# Whose debug information names the source files of all that was built into it.
LIBRARY = Path(os.environ["IM_LIBRARY"])
SOURCE = re.compile(rb"/registry/src/[^/\0]+/([\w-]+?)-(\d+\.\d+\.\d+[\w.+-]*)/")


def in_the_library() -> set[sbom.Crate]:
    found = SOURCE.findall(LIBRARY.read_bytes())
    return {(name.decode(), version.decode()) for name, version in found}


def unlisted(bill: sbom.Json, crates: set[sbom.Crate]) -> set[sbom.Crate]:
    """The crates that the bill does not name as parts of the library."""
    listed = {(part["name"], part["version"]) for part in bill["components"] if part["scope"] == "required"}
    return crates - listed


class Sbom(unittest.TestCase):
    bill: sbom.Json

    def setUp(self) -> None:
        self.bill = json.loads(BILL.read_text())

    def test_is_valid(self) -> None:
        validator = JsonStrictValidator(SchemaVersion.V1_6)
        self.assertIsNone(validator.validate_str(BILL.read_text()))
        self.bill["components"][0]["hashes"] = [{"alg": "SHA-256", "content": "no checksum"}]
        self.assertIsNotNone(validator.validate_str(json.dumps(self.bill)), "the schema is looked at")

    def test_names_every_crate_of_the_library(self) -> None:
        crates = in_the_library()
        self.assertGreater(len(crates), 40)
        self.assertEqual(unlisted(self.bill, crates), set())
        parts = [part for part in self.bill["components"] if part["name"] != "tokio"]
        (left_out,) = unlisted({"components": parts}, crates)
        self.assertEqual(left_out[0], "tokio")

    def test_names_every_direct_dependency(self) -> None:
        wanted = set(tomllib.loads((ROOT / "Cargo.toml").read_text())["dependencies"])
        self.assertLessEqual(wanted, {part["name"] for part in self.bill["components"] if part["scope"] == "required"})

    def test_says_licence_and_checksum_of_each(self) -> None:
        locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
        checksums = {(package["name"], package["version"]): package.get("checksum") for package in locked}
        for part in self.bill["components"]:
            self.assertTrue(part["licenses"][0]["expression"], part)
            if part["name"] != "rust-std":
                (checksum,) = part["hashes"]
                self.assertEqual(checksum["content"], checksums[part["name"], part["version"]], part)

    def test_is_the_same_each_time(self) -> None:
        self.assertEqual(sbom.bill(), self.bill)


if __name__ == "__main__":
    unittest.main()
