"""The client for asyncio: no thread but the loop's ever runs its code."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import warnings
import weakref
from collections.abc import Callable, Mapping
from ctypes import byref, c_void_p
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._async_stream import AsyncStream
from ._base import BaseClient, Handler, answer_with, answering, flushed, milliseconds, reply_in_time
from ._event import Event
from ._fork import forks
from ._library import check, library
from ._pending import Pending
from ._types import FreeFunction
from ._worker import Worker
from .client import LINGER
from .constants import EventKind, Status
from .errors import ImError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._message import Message
    from ._options_table import Options

#: So many seconds between two looks for outcomes while a stream is full.
_LOOK = 0.005
#: So many events of one client, then the loop has its turn.
_TURN = 64


class AsyncRequest(Pending):
    """What the server will answer, for one task."""

    _client: AsyncClient

    def __init__(self, client: AsyncClient, stored: bool) -> None:
        super().__init__(client, stored)
        self._answer: asyncio.Future[Any] = client._loop.create_future()

    async def wait(self) -> Any:
        try:
            return await self._answer
        finally:
            if self._answer.cancelled():
                self._give_up()

    def _told(self, value: Any, error: BaseException | None) -> None:
        if self._answer.done() or self._client._loop.is_closed():
            return
        if error is None:
            self._answer.set_result(value)
        else:
            self._answer.set_exception(error)


class AsyncClient(BaseClient):
    """A client for one namespace of a server, in the event loop that runs. Connects by itself, and again after a loss.

    `root`, `nsp` and the options are Client's. Its methods are for the loop's thread alone; none of them blocks, so
    those that wait for nothing (emit, open, close, on ...) are plain functions. Many clients cost no thread.

    Handlers are plain functions, or coroutine functions: each of these gets its events one at a time.

    `async with AsyncClient(...) as client:` destroys it at the end, after up to 5 seconds for what is unsent.
    """

    def __init__(
        self,
        root: str,
        nsp: str,
        *,
        on_error: Callable[[BaseException, Event | None], object] | None = None,
        **options: Unpack[Options],
    ) -> None:
        """`on_error` is told what a handler raises, and its event, in place of the loop's exception handler."""
        self._loop = asyncio.get_running_loop()
        self._on_error = on_error
        self._reading = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        #: What a handler raised that is meant for whoever runs the loop: KeyboardInterrupt, SystemExit.
        self._interrupt: BaseException | None = None
        super().__init__(root, nsp, options)
        try:
            self._descriptor = check(library.im_client_wake_fd(self._handle))
        except BaseException:
            library.im_client_destroy(self._handle)
            raise
        shown = f"im_client.AsyncClient({root!r}, {nsp!r})"
        own = (self._loop, self._handle, self._descriptor, forks(), shown)
        self._finalizer = weakref.finalize(self, _give_back, *own)
        # At the interpreter's exit all clients end together.
        self._finalizer.atexit = False  # type: ignore[misc]  # Not known to its stub.
        self._read()
        self._answer_questions()

    # What waits.

    async def call(self, event: str, *args: Any, timeout: float | None = None, volatile: bool = False) -> Any:
        """Sends an event and waits for the server's acknowledgement: its value, None, or a tuple of several.

        Raises RequestTimeoutError after `timeout` seconds (None: the option ack_timeout), DisconnectedError where the
        connection is lost meanwhile, CanceledError where the client is destroyed. A canceled task ends the request.
        """
        request = AsyncRequest(self, stored=False)
        self._start(request, event, args, timeout, volatile)
        return await request.wait()

    async def send_message(self, message: Message | Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """Sends an IM message, waits until the server has stored it, and gives that; as Client.send_message().

        With the option `store` it blocks the loop until the message is on the disk.
        """
        request = AsyncRequest(self, stored=True)
        self._start_message(request, message, timeout)
        return await request.wait()

    async def flush(self, timeout: float | None = None) -> None:
        """Waits until all that was emitted before is written to the socket."""
        await asyncio.wrap_future(flushed(self._handle, milliseconds(timeout)))

    def events(self, *names: str, limit: int = 64) -> AsyncStream:
        """The events of these names (none: all), for `async for`; see AsyncStream. It hears what comes from now on."""
        return AsyncStream(self, names, limit)

    # The end.

    def destroy(self) -> None:
        """Ends the client; a second time does nothing. What is unsent is dropped: flush() first. Streams end."""
        if self._finalizer.detach() is None:
            return
        self._stop_reading()
        library.im_client_destroy(self._handle)
        self._cancel_tasks()

    def _cancel_tasks(self) -> None:
        """Its handlers end; one that destroys its own client goes on."""
        if self._loop.is_closed():
            return
        own = asyncio.current_task(self._loop)
        for task in self._tasks - {own}:
            task.cancel()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with contextlib.suppress(ImError):
                    await self.flush(LINGER)
        finally:
            self.destroy()

    # What the loop does.

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            self._loop.add_reader(self._descriptor, _take, weakref.ref(self))

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            if not self._loop.is_closed():
                self._loop.remove_reader(self._descriptor)

    def _room_made(self) -> None:
        # A finalizer may call it, on any thread.
        if self._reading or not self._finalizer.alive or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(_again, weakref.ref(self))

    def _look_again(self) -> None:
        """Something changed while nothing was read."""
        if not self._finalizer.alive or self._reading:
            return
        if self._room() > 0:
            self._read()
        else:
            self._take_outcomes()

    def _take_outcomes(self) -> None:
        """While a stream is full; whoever is to make room may wait for one.

        The descriptor says nothing of them: it is readable for the events that are left there. So this looks from time
        to time, as long as a request waits.
        """
        polled = c_void_p()
        while library.im_client_poll_outcome(self._handle, 0, byref(polled)) == Status.OK and polled.value:
            self._settle(polled.value)
            library.im_event_release(polled)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(_LOOK, _again, weakref.ref(self)) if self._requests else None

    def _take_some(self) -> None:
        for _ in range(_TURN):
            if self._room() <= 0:
                self._stop_reading()
                self._take_outcomes()
                return
            called = library.im_client_dispatch(self._handle, 0, 1)
            interrupt, self._interrupt = self._interrupt, None
            if interrupt is not None:
                raise interrupt
            if called < 0:
                return

    def _handle_event(self, function: Callable[[Event], Any], pointer: int) -> None:
        event = None
        try:
            event = Event(self, pointer)
            answer_with(event, function(event))
        except BaseException as error:
            self._report(error, event)

    def _new_handler(self, event: str | None, function: Callable[[Event], Any], flags: int) -> Handler:
        kind = Worker if inspect.iscoroutinefunction(function) else Handler
        return kind(self, event, function, flags)

    def _answer_questions(self) -> None:
        for name, function in self._asked.items():
            self.on(name, _answering(function) if inspect.iscoroutinefunction(function) else answering(function))

    def _report(self, error: BaseException, event: Event | None) -> None:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            self._interrupt = error
            return
        if self._on_error is None:
            self._tell_loop(error, event)
            return
        try:
            self._on_error(error, event)
        except Exception as another:
            self._tell_loop(another, event)

    def _tell_loop(self, error: BaseException, event: Event | None) -> None:
        message = f"exception in a handler of {event.name}" if event else "exception in a handler"
        self._loop.call_exception_handler({"message": message, "exception": error})


def _answering(function: Callable[[int], Any]) -> Callable[[Event], Any]:
    """As for Client, with a coroutine function."""

    async def answer(event: Event) -> None:
        if event.kind is EventKind.REQUEST:
            reply_in_time(event, await function(event.data["attempt"]))

    return answer


def _take(reference: weakref.ref[AsyncClient]) -> None:
    """The descriptor is readable. The loop does not keep the client."""
    client = reference()
    if client is not None:
        client._take_some()


def _again(reference: weakref.ref[AsyncClient]) -> None:
    client = reference()
    if client is not None:
        client._look_again()


def _give_back(loop: asyncio.AbstractEventLoop, handle: int, descriptor: int, made: int, shown: str) -> None:
    """The client was forgotten. Takes no lock: this may run anywhere, in the middle of anything."""
    if made != forks():
        return
    try:
        loop.call_soon_threadsafe(_end, loop, handle, descriptor)
    except RuntimeError:  # The loop is closed.
        library.im_client_destroy_async(handle, FreeFunction(), None)
    # Last, for a program may make it an exception.
    warnings.warn(f"{shown} was not destroyed", ResourceWarning, stacklevel=2)


def _end(loop: asyncio.AbstractEventLoop, handle: int, descriptor: int) -> None:
    loop.remove_reader(descriptor)
    library.im_client_destroy(handle)
