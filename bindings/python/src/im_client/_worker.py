"""A coroutine function as a handler."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from ._base import Handler, answer_with
from ._event import Event

if TYPE_CHECKING:
    from .aio import AsyncClient

#: So many events wait for it, then the client takes no more.
_LIMIT = 64


class Worker(Handler):
    """Calls a coroutine function with one event after the other, in a task that lasts as long as there are any."""

    client: AsyncClient

    def __init__(self, client: AsyncClient, event: str | None, function: Callable[[Event], Any], flags: int) -> None:
        self._buffer: deque[Event] = deque()
        self._task: asyncio.Task[None] | None = None
        super().__init__(client, event, function, flags)
        client._streams[id(self)] = weakref.ref(self)

    @property
    def room(self) -> int:
        """As a stream has it."""
        return _LIMIT if self._task is None else _LIMIT - len(self._buffer)

    def heard(self, pointer: int) -> None:
        try:
            self._buffer.append(Event(self.client, pointer))
        except Exception as error:
            self.client._report(error, None)
            return
        if self._task is None:
            self._start()

    def _start(self) -> None:
        self._task = self._new_task(self._work())
        # Not at the end of the task itself: an eager one may have ended before it was known here.
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if self._buffer and self.client._finalizer.alive and not task.cancelled():
            self._start()
        self.client._room_made()

    def _new_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.client._loop.create_task(work)
        self.client._tasks.add(task)
        task.add_done_callback(self.client._tasks.discard)
        return task

    async def _work(self) -> None:
        while self._buffer and self.client._finalizer.alive:
            event = self._buffer.popleft()
            self.client._room_made()
            # In a task of its own: where that is canceled, by what it waits for perhaps, the next event still comes.
            call = self._new_task(self._call(event))
            await asyncio.wait({call})
            if call.cancelled() and self.client._finalizer.alive:
                self.client._report(asyncio.CancelledError(), event)

    async def _call(self, event: Event) -> None:
        try:
            answer_with(event, await self.function(event))
        except Exception as error:
            self.client._report(error, event)

    def off(self) -> None:
        super().off()
        self._buffer.clear()
        self.client._room_made()

    def freed(self) -> None:
        super().freed()
        self.client._streams.pop(id(self), None)
