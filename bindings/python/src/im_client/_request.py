"""A request of Client's, as a Future."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any

from ._fork import forks
from ._library import library
from ._outcome import outcome
from .constants import Status
from .errors import DeadlockError, ForkedError

if TYPE_CHECKING:
    from .client import Client


class Request(Future[Any]):
    """What the server will answer. cancel() tells the library, too, so that nothing is waited for any more."""

    def __init__(self, client: Client, stored: bool) -> None:
        super().__init__()
        self.key = 0
        self._client = client
        self._stored = stored
        self._id = 0
        self._forks = forks()

    def begun(self, request: int) -> Request:
        self._id = request
        return self

    def cancel(self) -> bool:
        """Ends the wait: result() raises CancelledError. False where the outcome is there already."""
        canceled = super().cancel()
        if canceled:
            library.im_client_cancel(self._client._handle, self._id)
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

    # What the library calls.

    def settled(self, status: int, reply: int | None) -> None:
        self._client._requests.pop(self.key, None)
        # It may have been canceled meanwhile.
        with contextlib.suppress(InvalidStateError):
            try:
                value, error = outcome(self._client, status, reply, self._stored)
            except Exception as failure:
                self.set_exception(failure)
                return
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)

    def heard(self, pointer: int) -> None:
        """Only subscriptions do."""

    def freed(self) -> None:
        """It is called once, with its outcome."""
