"""A request that waits for its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._callbacks import forget, register
from ._event import event_or_failure
from ._library import check, library
from ._outcome import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._base import BaseClient
    from ._event import Event


class Pending:
    """Held by its client until its outcome comes: by a call of on_outcome, or polled by its number."""

    def __init__(self, client: BaseClient, stored: bool) -> None:
        self._client = client
        self._stored = stored
        self._key = 0
        self._number = 0

    def begin(self, call: Callable[[int], int]) -> None:
        """Makes the call that gives the request its number. Its outcome may come on another thread before that."""
        client = self._client
        self._key = register(self)
        client._requests[self._key] = self
        try:
            self._number = check(call(self._key))
        except BaseException:
            self._end()
            raise
        client._numbers[self._number] = self
        unclaimed = client._unclaimed.pop(self._number, None)
        if unclaimed is not None:
            self.settle(*unclaimed)
        elif self._key not in client._requests:
            client._numbers.pop(self._number, None)

    def settled(self, status: int, reply: int | None) -> None:
        """Called by the library."""
        self.settle(status, event_or_failure(self._client, reply) if reply else None)

    def settle(self, status: int, answer: Event | Exception | None) -> None:
        self._end()
        if isinstance(answer, Exception):
            self._told(None, answer)
        else:
            self._told(*outcome(status, answer, self._stored))

    def _told(self, value: Any, error: BaseException | None) -> None:
        """The value that the server answered with, or what went wrong."""
        raise NotImplementedError

    def _give_up(self) -> None:
        """Nobody waits any more."""
        library.im_client_cancel(self._client._handle, self._number)

    def _end(self) -> None:
        forget(self._key)
        self._client._requests.pop(self._key, None)
        self._client._numbers.pop(self._number, None)

    def heard(self, pointer: int) -> None:
        """Only subscriptions do."""

    def freed(self) -> None:
        """It is called once, with its outcome."""
