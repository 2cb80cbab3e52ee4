"""Puts the release library into the wheel, and names in its tag the oldest system that it runs on."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {"darwin": "libim_client.dylib", "win32": "im_client.dll"}


def library(root: Path) -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", root.parent.parent / "target"))
    path = target / "release" / FILES.get(sys.platform, "libim_client.so")
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make release` in the repository first")
    return path


def oldest_glibc(path: Path) -> str:
    """The newest version among the symbols that it asks of glibc (a text that looks like one can only raise it)."""
    versions = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())}
    major, minor = max(versions)
    return f"{major}_{minor}"


def platform_tag(path: Path) -> str:
    if sys.platform == "linux":
        return f"manylinux_{oldest_glibc(path)}_{platform.machine()}"
    return re.sub(r"[-.]", "_", sysconfig.get_platform())


class BuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        path = library(Path(self.root))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag(path)}"
        build_data["force_include"][str(path)] = f"im_client/{path.name}"
