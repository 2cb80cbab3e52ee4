"""The interpreter's exit."""

from __future__ import annotations

import atexit

from ._callbacks import targets
from ._library import library
from ._prototypes import LOG_OFF
from ._types import FreeFunction, LogFunction
from .constants import Status

# Short, so that Ctrl-C is heard meanwhile.
_PATIENCE_MS = 100


@atexit.register
def _at_exit() -> None:
    """A callback into an interpreter that is gone would be a crash, so all of them end first.

    As with a ThreadPoolExecutor, a handler that runs is waited for. None starts any more, and no request ends: a daemon
    thread that waits for one would only have its end reported.
    """
    targets.clear()
    library.im_set_log_callback(LOG_OFF, LogFunction(), None, FreeFunction())
    while library.im_shutdown(_PATIENCE_MS) == Status.ERROR_TIMEOUT:
        pass
