"""A Client's events, one by one."""

from __future__ import annotations

import queue
from types import TracebackType
from typing import TYPE_CHECKING

from ._base import milliseconds
from ._event import Event
from ._feed import AnyStream
from ._fork import forks
from .constants import Status
from .errors import DeadlockError, ForkedError, RequestTimeoutError

if TYPE_CHECKING:
    from .client import Client


class Stream(AnyStream):
    """What Client.events() gives: a copy of its own of each event, in order, none lost.

    While `limit` events wait here the client takes no more of them from the library (answers to requests it does), and
    the library's own bound then reaches the server. It ends with the client, or with off().
    Several threads may share it: each event goes to one of them.
    """

    _client: Client

    def __init__(self, client: Client, events: tuple[str, ...], limit: int) -> None:
        # May be put to from a finalizer, and needs no lock of ours. None is the end.
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._forks = forks()
        super().__init__(client, events, limit)

    def _waiting(self) -> int:
        return self._queue.qsize()

    def _put(self, event: Event) -> None:
        self._queue.put(event)

    def _end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Event:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event, waited for at most `timeout` seconds, then RequestTimeoutError; None at the end."""
        milliseconds(timeout)
        if self._over:
            return None
        if self._queue.empty():
            self._check()
        try:
            event = self._queue.get(timeout=timeout)
        except queue.Empty:
            raise RequestTimeoutError(Status.ERROR_TIMEOUT, f"no event came within {timeout} s") from None
        self._client._room_made()
        if event is None or self._over:
            self._over = True
            # For the next of several threads.
            self._end()
            return None
        return event

    def _check(self) -> None:
        if self._forks != forks():
            raise ForkedError(
                Status.ERROR_FORKED, "the stream is from before a fork: its events go to the parent process"
            )
        if self._client._is_own_thread():
            raise DeadlockError(Status.ERROR_DEADLOCK, "a wait inside a handler, on whose thread the event would come")

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
