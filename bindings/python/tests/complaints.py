"""What a program in Python's development mode complained about."""

from __future__ import annotations

import re

# What kept asyncio's loop for a tenth of a second depends on the machine alone.
_SLOW_MACHINE = re.compile(r"^Executing <.*> took [0-9.]+ seconds\n", re.MULTILINE)


def complaints(stderr: str) -> str:
    return _SLOW_MACHINE.sub("", stderr)
