"""The ends of the process: a fork, and the interpreter's exit."""

from __future__ import annotations

import atexit
import os

from ._library import library
from ._prototypes import LOG_OFF
from ._types import FreeFunction, LogFunction
from .constants import Status

_forks = 0
# Short, so that Ctrl-C is heard meanwhile.
_PATIENCE_MS = 100


def forks() -> int:
    """How often this process is a fork's child: a client of another number belongs to the parent."""
    return _forks


def _in_child() -> None:
    global _forks
    _forks += 1


def _at_exit() -> None:
    """A callback into an interpreter that is gone would be a crash, so all of them end first.

    As with a ThreadPoolExecutor, a handler that runs is waited for.
    """
    library.im_set_log_callback(LOG_OFF, LogFunction(), None, FreeFunction())
    while library.im_shutdown(_PATIENCE_MS) == Status.ERROR_TIMEOUT:
        pass


def install() -> None:
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)
