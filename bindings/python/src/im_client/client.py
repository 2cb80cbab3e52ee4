"""The client for programs with threads."""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from collections.abc import Callable, Mapping
from ctypes import byref, c_void_p
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._base import BATCH, BaseClient, answer_with, flushed, milliseconds
from ._event import Event
from ._fork import forks
from ._library import brief, check, library
from ._log import log_error, logger
from ._request import Request
from ._stream import Stream
from .constants import Status
from .errors import ImError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Unpack

    from ._message import Message
    from ._options_table import Options

#: So long a `with` block waits at its end for what is unsent.
LINGER = 5.0
_FOREVER_MS = -1


class Client(BaseClient):
    """A client for one namespace of a server. Connects by itself, and again after a lost connection.

    `root` is the server's URL without a path, `nsp` the namespace: `chat`, `sso`, `/` or any other. Further options are
    keyword arguments (see Options): `query={"token": "t", "userId": "111"}`. Times are seconds.

    Every method may be called from any thread. Handlers run on a thread of this client's own, one at a time, in the
    order in which the events came; one that takes long delays this client's events alone. Inside a handler everything
    may be called but what waits for the server (call, send_message, flush, a stream): that raises DeadlockError.

    `with Client(...) as client:` destroys it at the end, after up to 5 seconds for what is unsent.
    """

    def __init__(
        self,
        root: str,
        nsp: str,
        *,
        on_error: Callable[[BaseException, Event | None], object] | None = None,
        **options: Unpack[Options],
    ) -> None:
        """`on_error` is told what a handler raises, and its event, in place of the logger `im_client`."""
        self._on_error = on_error or log_error
        # While its thread waits for room in a stream.
        self._paused = False
        super().__init__(root, nsp, options)
        own = (weakref.ref(self), self._handle)
        self._thread = threading.Thread(target=_run, args=own, name=f"im_client {nsp}", daemon=True)
        self._start_thread()
        shown = f"im_client.Client({root!r}, {nsp!r})"
        self._finalizer = weakref.finalize(self, _give_back, self._handle, forks(), shown)
        # At the interpreter's exit all clients end together.
        self._finalizer.atexit = False  # type: ignore[misc]  # Not known to its stub.
        self._answer_questions()

    def _start_thread(self) -> None:
        try:
            self._thread.start()
        except BaseException:
            library.im_client_destroy(self._handle)
            raise

    # What waits.

    def call(self, event: str, *args: Any, timeout: float | None = None, volatile: bool = False) -> Any:
        """Sends an event and waits for the server's acknowledgement: its value, None, or a tuple of several.

        Raises RequestTimeoutError after `timeout` seconds (None: the option ack_timeout), DisconnectedError where the
        connection is lost meanwhile, CanceledError where the client is destroyed.
        """
        return self._wait(self.submit(event, *args, timeout=timeout, volatile=volatile))

    def submit(self, event: str, *args: Any, timeout: float | None = None, volatile: bool = False) -> Future[Any]:
        """As call(), without the wait. The future's cancel() ends the request; its callbacks run as handlers do."""
        request = Request(self, stored=False)
        self._start(request, event, args, timeout, volatile)
        return request

    def send_message(self, message: Message | Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """Sends an IM message, waits until the server has stored it, and gives what it stored.

        `message` needs `type`, `from`, `to` and `content`. It is kept, and sent again after a lost connection, for
        `timeout` seconds (None: the option message_timeout): RequestTimeoutError then. RefusedError has the server's
        code.
        """
        return self._wait(self.submit_message(message, timeout=timeout))

    def submit_message(self, message: Message | Mapping[str, Any], *, timeout: float | None = None) -> Future[Any]:
        """As send_message(), without the wait."""
        request = Request(self, stored=True)
        self._start_message(request, message, timeout)
        return request

    def _wait(self, request: Future[Any]) -> Any:
        try:
            return request.result()
        except BaseException:
            request.cancel()
            raise

    def flush(self, timeout: float | None = None) -> None:
        """Waits until all that was emitted before is written to the socket."""
        wait = milliseconds(timeout)
        if threading.current_thread() is threading.main_thread():
            # Which would hear of Ctrl-C only after a wait inside the library.
            flushed(self._handle, wait).result()
        else:
            check(library.im_client_flush(self._handle, wait))

    def events(self, *names: str, limit: int = 64) -> Stream:
        """The events of these names (none: all) as an iterator; see Stream. It hears what comes from now on."""
        return Stream(self, names, limit)

    # The end.

    def destroy(self) -> None:
        """Ends the client; a second time does nothing. What is unsent is dropped: flush() first.

        Waits until its handler has returned, so hold no lock that a handler takes; inside a handler it does not wait.
        """
        self._finalizer.detach()
        # Of two at once, one of them the thread of a client that was forgotten, the library lets one win.
        status = library.im_client_destroy(self._handle)
        if status == Status.OK and not self._is_own_thread():
            self._thread.join()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            with contextlib.suppress(ImError):
                self.flush(LINGER)
        self.destroy()

    # What its thread does.

    def _report(self, error: BaseException, event: Event | None) -> None:
        try:
            self._on_error(error, event)
        except BaseException:
            logger.exception("exception in on_error")

    def _handle_event(self, function: Callable[[Event], Any], pointer: int) -> None:
        event = None
        try:
            event = Event(self, pointer)
            answer_with(event, function(event))
        except BaseException as error:
            self._report(error, event)

    def _is_own_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _room_made(self) -> None:
        # Takes no lock: a finalizer may call it. A wake that the thread does not wait for yet ends its next wait, and
        # one is enough for all the room that is made until then.
        if self._paused:
            self._paused = False
            brief.im_client_wake(self._handle)

    def _room_taken(self) -> None:
        brief.im_client_wake(self._handle)

    def _room_or_pause(self) -> int:
        room = self._room()
        if room <= 0:
            # Set before the second look, so that room made after it ends the wait.
            self._paused = True
            room = self._room()
        return room


def _run(reference: weakref.ref[Client], handle: int) -> None:
    """The client's thread. It does not keep the client: one that nobody has is given back here."""
    room = BATCH
    while library.im_client_dispatch(handle, _FOREVER_MS, room) >= 0:
        while (room := _room_of(reference)) <= 0:
            if not _take_outcome(reference, handle):
                return
        if reference() is None:
            library.im_client_destroy(handle)
            return


def _room_of(reference: weakref.ref[Client]) -> int:
    client = reference()
    return BATCH if client is None else client._room_or_pause()


def _take_outcome(reference: weakref.ref[Client], handle: int) -> bool:
    """Waits for room, or for an outcome: whoever is to make room may wait for that. False at the client's end."""
    polled = c_void_p()
    status: int = library.im_client_poll_outcome(handle, _FOREVER_MS, byref(polled))
    client = reference()
    if polled.value and client is not None:
        client._settle(polled.value)
    library.im_event_release(polled)
    return status >= 0


def _give_back(handle: int, made: int, shown: str) -> None:
    """The client was forgotten. Takes no lock: this may run anywhere, in the middle of anything."""
    if made == forks():
        brief.im_client_wake(handle)
        # Last, for a program may make it an exception.
        warnings.warn(f"{shown} was not destroyed", ResourceWarning, stacklevel=2)
