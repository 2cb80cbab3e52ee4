"""An AsyncClient's events, one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from ._event import Event
from ._feed import AnyStream

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncStream(AnyStream):
    """What AsyncClient.events() gives: a copy of its own of each event, in order, none lost.

    While `limit` events wait here the client takes no more of them from the library (answers to requests it does), and
    the library's own bound then reaches the server. It ends with the client, or with off().
    For one task at a time.
    """

    _client: AsyncClient

    def __init__(self, client: AsyncClient, events: tuple[str, ...], limit: int) -> None:
        self._buffer: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        super().__init__(client, events, limit)

    def _waiting(self) -> int:
        return len(self._buffer)

    def _put(self, event: Event) -> None:
        self._buffer.append(event)
        self._wake()

    def _end(self) -> None:
        # May be called by a finalizer, on any thread; then nobody waits. Or when the loop is no more.
        if not self._client._loop.is_closed():
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Event:
        while not self._buffer or self._over:
            if self._over or not self._feeds:
                self._over = True
                raise StopAsyncIteration
            await self._wait()
        event = self._buffer.popleft()
        self._client._room_made()
        return event

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("another task waits for this stream's next event; each needs a stream of its own")
        self._waiter = self._client._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
