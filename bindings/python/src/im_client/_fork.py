"""Whether this process is a fork's child: what is from before belongs to the parent."""

from __future__ import annotations

import os

_forks = 0


def forks() -> int:
    """How often: a client that was made at another number is the parent's."""
    return _forks


def _in_child() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
