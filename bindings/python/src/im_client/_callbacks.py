"""What the library calls: three functions that live as long as the process, for to call a collected one is a crash.

`user_data` is a number that names the target: a subscription or a request. The targets are held by their client alone;
a client that nobody has any more takes them with it, and what is still called for them finds nobody.
"""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from typing import Any, Protocol

from ._fork import forks
from ._types import AckFunction, EventFunction, FreeFunction


class Target(Protocol):
    """What is called. None of it may raise."""

    def heard(self, pointer: int) -> None:
        """An event came; the pointer is valid meanwhile."""

    def settled(self, status: int, reply: int | None) -> None:
        """The outcome of a request; the pointer is valid meanwhile."""

    def freed(self) -> None:
        """Nothing more will come."""


targets: dict[int, weakref.ref[Any]] = {}
_keys = itertools.count(1)
_RETURNED_IN_CHILD = (
    "im_client: a child that was forked inside a handler returned from it; use os._exit or multiprocessing\n"
)


def register(target: Target) -> int:
    """The number by which the library will name the target."""
    key = next(_keys)
    targets[key] = weakref.ref(target)
    return key


def forget(key: int) -> None:
    """The library will not name it any more."""
    targets.pop(key, None)


def _find(key: int) -> Any:
    reference = targets.get(key)
    return reference and reference()


def _leave(before: int) -> None:
    """A child must not go back into the library's frames: they belong to the parent, as do the locks in them."""
    if forks() != before:
        sys.stderr.write(_RETURNED_IN_CHILD)
        os._exit(1)


def _on_event(pointer: int, key: int) -> None:
    before = forks()
    target = _find(key)
    if target is not None:
        target.heard(pointer)
    _leave(before)


def _on_outcome(status: int, reply: int | None, key: int) -> None:
    before = forks()
    target = _find(key)
    forget(key)
    if target is not None:
        target.settled(status, reply)
    _leave(before)


def _on_free(key: int) -> None:
    target = _find(key)
    forget(key)
    if target is not None:
        target.freed()


on_event = EventFunction(_on_event)
on_outcome = AckFunction(_on_outcome)
on_free = FreeFunction(_on_free)
