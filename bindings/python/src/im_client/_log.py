"""The library's log lines go to the logger `im_client`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ._fork import forks
from ._library import library
from ._prototypes import LOG_DEBUG, LOG_ERROR, LOG_INFO, LOG_OFF, LOG_TRACE, LOG_WARN
from ._types import FreeFunction, LogFunction

if TYPE_CHECKING:
    from ._event import Event

logger = logging.getLogger("im_client")

_PYTHONS = {
    LOG_ERROR: logging.ERROR,
    LOG_WARN: logging.WARNING,
    LOG_INFO: logging.INFO,
    LOG_DEBUG: logging.DEBUG,
    LOG_TRACE: logging.DEBUG - 5,
}
_attached: tuple[int, int] | None = None


def _on_line(level: int, line: bytes, _: object) -> None:
    logger.log(_PYTHONS.get(level, logging.ERROR), "%s", line.decode(errors="replace"))


_function = LogFunction(_on_line)


def _wanted() -> int:
    """The library's level for what the logger would show."""
    return max((level for level, python in _PYTHONS.items() if logger.isEnabledFor(python)), default=LOG_OFF)


def attach() -> None:
    """Tells the library the logger's level; asked before each client. A forked child has a library of its own."""
    global _attached
    state = (forks(), _wanted())
    if state != _attached:
        function = _function if state[1] != LOG_OFF else LogFunction()
        library.im_set_log_callback(state[1], function, None, FreeFunction())
        _attached = state


def log_error(error: BaseException, event: Event | None) -> None:
    """What becomes of an exception of a handler's, unless the client was given an on_error."""
    what = f"in a handler of {event.name}" if event else "in a handler"
    logger.error("exception %s", what, exc_info=error)
