"""A request of Client's, as a Future."""

from __future__ import annotations

import contextlib
import itertools
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any

from ._fork import forks
from ._pending import Pending
from .constants import Status
from .errors import DeadlockError, ForkedError

if TYPE_CHECKING:
    from .client import Client


class Request(Pending, Future[Any]):
    """What the server will answer. cancel() tells the library, too, so that nothing is waited for any more."""

    _client: Client

    def __init__(self, client: Client, stored: bool) -> None:
        Future.__init__(self)
        Pending.__init__(self, client, stored)
        self._forks = forks()
        # Of several threads that cancel it, one counts 0.
        self._cancels = itertools.count()

    def cancel(self) -> bool:
        """Ends the wait: result() raises CancelledError. False where the outcome is there already."""
        canceled = super().cancel()
        if canceled and next(self._cancels) == 0:
            # Who is in concurrent.futures.wait() hears of it by this alone.
            self.set_running_or_notify_cancel()
            self._give_up()
        return canceled

    def result(self, timeout: float | None = None) -> Any:
        """The server's answer, waited for. Raises what went wrong, an ImError."""
        self._check()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What went wrong, waited for; None where nothing did."""
        self._check()
        return super().exception(timeout)

    def _check(self) -> None:
        """Neither a wait for what this very thread would bring, nor for what only the parent process will hear."""
        if self.done():
            return
        if self._forks != forks():
            raise ForkedError(
                Status.ERROR_FORKED, "the request is from before a fork; its answer goes to the parent process"
            )
        if self._client._is_own_thread():
            text = (
                "a wait inside a handler, on whose thread the answer would come: use submit() and add_done_callback()"
            )
            raise DeadlockError(Status.ERROR_DEADLOCK, text)

    def _told(self, value: Any, error: BaseException | None) -> None:
        # It may have been canceled meanwhile.
        with contextlib.suppress(InvalidStateError):
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)
