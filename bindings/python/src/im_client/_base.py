"""What both clients have: everything that never waits."""

from __future__ import annotations

import contextlib
import inspect
import json
import math
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _log, constants
from ._callbacks import on_event, on_free, on_outcome, register
from ._event import Event, event_or_failure
from ._library import c_text, check, last_error, library, take_text, utf8
from ._options import in_pythons_names, options_json
from ._prototypes import EMIT_VOLATILE, SUBSCRIBE_ONCE, SUBSCRIBE_OUTGOING
from ._types import RawEvent
from ._values import Encoded, dump, json_text
from .constants import EventKind, State, Status
from .errors import ClosedError, NotFoundError, error_of, invalid

if TYPE_CHECKING:
    from ._message import Message
    from ._pending import Pending

#: So many events are taken in one go where no stream says less.
BATCH = 64
F = TypeVar("F", bound=Callable[[Event], Any])


class Subscription:
    """One subscription of a client's. What of an event is done with it, subclasses say."""

    def __init__(self, client: BaseClient, event: str | None, flags: int = 0) -> None:
        self.client = client
        self.event = event
        self.outgoing = bool(flags & SUBSCRIBE_OUTGOING)
        name = None if event is None else c_text(event, "event")
        self.key = register(self)
        client._subscriptions[self.key] = self
        # Where this fails the library calls freed(), too.
        self.id = check(library.im_client_subscribe(client._handle, name, flags, on_event, self.key, on_free))

    def heard(self, pointer: int) -> None:
        raise NotImplementedError

    def settled(self, status: int, reply: int | None) -> None:
        """Only requests are."""

    def freed(self) -> None:
        self.client._subscriptions.pop(self.key, None)

    def off(self) -> None:
        check(library.im_client_off(self.client._handle, self.id))


class Handler(Subscription):
    """A function that is called with each event."""

    def __init__(self, client: BaseClient, event: str | None, function: Callable[[Event], Any], flags: int = 0) -> None:
        if not callable(function):
            raise invalid(f"the handler is {type(function).__name__}, not a function")
        self.function = function
        super().__init__(client, event, flags)

    def heard(self, pointer: int) -> None:
        self.client._handle_event(self.function, pointer)


class BaseClient:
    """What Client and AsyncClient have in common."""

    def __init__(self, root: str, nsp: str, options: Mapping[str, Any]) -> None:
        self._handle = 0
        #: What the library may call, until it says that it will not.
        self._subscriptions: dict[int, Subscription] = {}
        self._requests: dict[int, Pending] = {}
        # The same by the library's numbers, and outcomes that came before their number was known here.
        self._numbers: dict[int, Pending] = {}
        self._unclaimed: dict[int, tuple[int, Event | Exception]] = {}
        self._streams: dict[int, weakref.ref[Any]] = {}
        text, asked = options_json(root, nsp, dict(options))
        _log.attach()
        self._handle = library.im_client_new(text)
        if not self._handle:
            raise error_of(library.im_last_status(), in_pythons_names(last_error(), options))
        self._asked = asked

    def _answer_questions(self) -> None:
        """Subscribes for the functions in ask_auth and ask_query."""
        for name, function in self._asked.items():
            self.on(name, answering(function))

    # What is heard.

    @overload
    def on(self, event: str) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, handler: F) -> F: ...
    def on(self, event: str, handler: F | None = None) -> Any:
        """Calls a function with each event of a name; a decorator, or with the function as the second argument.

        An IM event may be named as on the wire or by its constant's name. What the handler returns (not None) answers
        an event that the server wants acknowledged; a tuple is several arguments.
        """
        return self._decorate(event, handler, 0)

    @overload
    def once(self, event: str) -> Callable[[F], F]: ...
    @overload
    def once(self, event: str, handler: F) -> F: ...
    def once(self, event: str, handler: F | None = None) -> Any:
        """As on(), for one event."""
        return self._decorate(event, handler, SUBSCRIBE_ONCE)

    def on_any(self, handler: F) -> F:
        """As on(), for every event, the connection's own included."""
        return self._subscribe(None, handler, 0)

    def on_any_outgoing(self, handler: F) -> F:
        """Calls a function with what this client emits, when it goes out."""
        return self._subscribe(None, handler, SUBSCRIBE_OUTGOING)

    def off(self, event: str, handler: Callable[[Event], Any] | None = None) -> None:
        """Ends all subscriptions of an event, or those of one handler. Raises NotFoundError where there is none."""
        if handler is None:
            check(library.im_client_off_event(self._handle, c_text(event, "event")))
            return
        self._end([each for each in self._handlers(handler) if _on_wire(each.event) == _on_wire(event)])

    def off_any(self, handler: Callable[[Event], Any]) -> None:
        """Ends what on_any() or on_any_outgoing() began."""
        self._end([each for each in self._handlers(handler) if each.event is None])

    def _handlers(self, handler: Callable[[Event], Any]) -> list[Handler]:
        subscriptions = tuple(self._subscriptions.values())
        return [each for each in subscriptions if isinstance(each, Handler) and each.function == handler]

    def _end(self, handlers: list[Handler]) -> None:
        ended = 0
        for each in handlers:
            # One that ended before is there until the library has freed it.
            with contextlib.suppress(NotFoundError):
                each.off()
                ended += 1
        if not ended:
            self.state  # noqa: B018  # Says so where the client is destroyed.
            raise NotFoundError(Status.ERROR_NOT_FOUND, "this handler is not subscribed")

    def _decorate(self, event: str, handler: F | None, flags: int) -> Any:
        if handler is not None:
            return self._subscribe(event, handler, flags)
        return lambda function: self._subscribe(event, function, flags)

    def _subscribe(self, event: str | None, handler: F, flags: int) -> F:
        self._new_handler(event, handler, flags)
        return handler

    def _new_handler(self, event: str | None, function: Callable[[Event], Any], flags: int) -> Handler:
        if inspect.iscoroutinefunction(function):
            raise invalid("the handler is a coroutine function, which only AsyncClient runs")
        return Handler(self, event, function, flags)

    def _handle_event(self, function: Callable[[Event], Any], pointer: int) -> None:
        raise NotImplementedError

    def _report(self, error: BaseException, event: Event | None) -> None:
        raise NotImplementedError

    def _room(self) -> int:
        """So many events may be taken before the next look: none where a stream is full."""
        streams = [reference() for reference in tuple(self._streams.values())]
        return min((stream.room for stream in streams if stream is not None), default=BATCH)

    def _room_made(self) -> None:
        """What _room() says may be more by now, or a request waits."""
        raise NotImplementedError

    def _room_taken(self) -> None:
        """What _room() says may be less by now. Nobody has to know who takes one event at a time."""

    def _settle(self, pointer: int) -> None:
        """An outcome that was polled, past the events that wait for room."""
        raw = RawEvent.from_address(pointer)
        number, status, answer = raw.request, raw.status, event_or_failure(self, pointer)
        self._unclaimed[number] = (status, answer)
        request = self._numbers.get(number)
        # Else who began it is about to look here.
        if request is not None and self._unclaimed.pop(number, None) is not None:
            request.settle(status, answer)

    # What is sent.

    def emit(self, event: str, *args: Any, volatile: bool = False) -> None:
        """Sends an event. Never waits: what is emitted before the connection is up goes out after it, in order, once.

        Arguments are what json.dumps takes, and bytes at any depth. A volatile event is dropped unless it can go out at
        once. Raises QueueFullError where too much waits already.
        """
        if len(args) == 1 and not volatile and self._emit_plain(event, args[0]):
            return
        name, what = utf8(_name_of(event)), Encoded(args)
        check(
            library.im_client_emit_args(
                self._handle, name, len(name), what.text, len(what.text), what.blobs, what.count, _flags(volatile)
            )
        )

    def _emit_plain(self, event: str, value: Any) -> bool:
        """The usual emit, at half of the cost. Where it is none, or fails: False, for the general one tells why."""
        try:
            name, text = str.encode(event), json_text(value).encode()
        except (TypeError, ValueError, RecursionError):
            return False
        return b"\0" not in name and library.im_client_emit(self._handle, name, text) >= 0

    def _start(
        self, request: Pending, event: str, args: tuple[Any, ...], timeout: float | None, volatile: bool
    ) -> None:
        """Emits what is to be acknowledged."""
        name, what, wait = utf8(_name_of(event)), Encoded(args), milliseconds(timeout)
        request.begin(
            lambda key: library.im_client_emit_args_with_ack(
                *(self._handle, name, len(name), what.text, len(what.text), what.blobs, what.count),
                *(_flags(volatile), wait, on_outcome, key, type(on_free)()),
            )
        )
        self._room_made()

    def _start_message(self, request: Pending, message: Message | Mapping[str, Any], timeout: float | None) -> None:
        text, wait = dump(message), milliseconds(timeout)
        request.begin(lambda key: library.im_client_send_message(self._handle, text, wait, on_outcome, key))
        self._room_made()

    def clear_send_buffer(self) -> int:
        """Drops all emits that have not gone out; gives how many packets that were."""
        return check(library.im_client_clear_send_buffer(self._handle))

    # The connection.

    def open(self) -> None:
        """Connects, if that is not so already."""
        check(library.im_client_open(self._handle))

    def close(self) -> None:
        """Disconnects, until open(). What is unsent waits. The event `disconnect` tells the end."""
        check(library.im_client_close(self._handle))

    def destroy_socket(self) -> None:
        """As close(), and drops what is unsent; requests that wait end with CanceledError."""
        check(library.im_client_destroy_socket(self._handle))

    def set_auth(self, auth: Mapping[str, Any] | None) -> None:
        """What the next CONNECT carries; the connection that stands is not touched."""
        check(library.im_client_set_auth(self._handle, None if auth is None else dump(auth)))

    def set_query(self, query: Mapping[str, Any]) -> None:
        """What the next connection's URL carries, in place of the option `query`."""
        check(library.im_client_set_query(self._handle, dump(query)))

    def network_changed(self) -> None:
        """The device is on another network: the connection is checked, or made, at once."""
        check(library.im_client_network_changed(self._handle))

    def background(self) -> None:
        """The app may be frozen from now on: a lost connection is not made anew, the store's file is given up."""
        check(library.im_client_background(self._handle))

    def foreground(self) -> None:
        """The app is back."""
        check(library.im_client_foreground(self._handle))

    @property
    def state(self) -> State:
        """The state of the connection."""
        return State(check(library.im_client_state(self._handle)))

    @property
    def socket_id(self) -> str | None:
        """The Socket.IO id of the connection, None while there is none."""
        address = library.im_client_socket_id(self._handle)
        if not address and library.im_last_status() == Status.ERROR_DISCONNECTED:
            return None
        return take_text(address)

    def info(self) -> dict[str, Any]:
        """What goes on in the client: counters, queues, round-trip time; secrets are masked."""
        told: dict[str, Any] = json.loads(take_text(library.im_client_info(self._handle)))
        return told

    def __repr__(self) -> str:
        state = library.im_client_state(self._handle)
        shown = State(state).name.lower() if state >= 0 else "destroyed"
        return f"<{type(self).__name__} {self._handle:#x} {shown}>"


def answer_with(event: Event, answer: Any) -> None:
    """What a handler returned answers who asked; None is no answer, a tuple several arguments."""
    if answer is None:
        return
    if inspect.iscoroutine(answer):
        answer.close()
        raise invalid("the handler gave a coroutine, which nobody runs: only a coroutine function's is, by AsyncClient")
    if event.wants_reply:
        event.reply(*(answer if isinstance(answer, tuple) else (answer,)))


def answering(function: Callable[[int], Any]) -> Callable[[Event], None]:
    """A handler that answers the library's question, and leaves an event of that name from the server alone."""

    def answer(event: Event) -> None:
        if event.kind is EventKind.REQUEST:
            reply_in_time(event, function(event.data["attempt"]))

    return answer


def reply_in_time(event: Event, value: Any) -> None:
    """Answers, unless nobody waits any more: the client is gone, or the attempt is over, which connect_error tells."""
    with contextlib.suppress(ClosedError, NotFoundError):
        event.reply(value)


def flushed(handle: int, wait: int) -> Future[None]:
    """im_client_flush on a thread of its own, for it blocks; it fails at once should the client be destroyed."""
    future: Future[None] = Future()
    # Nobody can cancel it.
    future.set_running_or_notify_cancel()

    def flush() -> None:
        try:
            check(library.im_client_flush(handle, wait))
            future.set_result(None)
        except BaseException as error:
            future.set_exception(error)

    try:
        threading.Thread(target=flush, name="im_client flush", daemon=True).start()
    except RuntimeError:  # At the interpreter's exit there are no new threads.
        flush()
    return future


def _on_wire(event: str | None) -> str | None:
    """An IM event that is named by its constant has another name there."""
    named = vars(constants).get(event) if event in constants.__all__ else None
    return named if isinstance(named, str) else event


def _flags(volatile: bool) -> int:
    return EMIT_VOLATILE if volatile else 0


def _name_of(event: object) -> str:
    if not isinstance(event, str):
        raise invalid(f'the argument "event" is {type(event).__name__}, not a str')
    return event


def milliseconds(timeout: float | None) -> int:
    """As the library has it, where 0 is the option's own time."""
    if timeout is None:
        return 0
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise invalid(
            f'the argument "timeout" is {timeout!r}, not a number of seconds from 0 to {threading.TIMEOUT_MAX}'
        )
    return max(1, math.ceil(timeout * 1000))
