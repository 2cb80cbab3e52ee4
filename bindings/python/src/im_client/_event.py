"""What a handler or a stream gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._library import check, library
from ._types import RawEvent
from ._values import Encoded, arguments_of, dump
from .constants import EventKind

if TYPE_CHECKING:
    from ._base import BaseClient


# EventKind(…) takes ten times as long.
_KINDS = {kind.value: kind for kind in EventKind}


class Event:
    """An event of the server or of the connection, or a question of the library. Yours to keep."""

    __slots__ = ("_client", "_request", "ack_id", "args", "kind", "name")

    #: Its name as it came.
    name: str
    #: Its arguments; binary values are bytes, at any depth.
    args: list[Any]
    #: Who says it: EVENT the server, whatever the name; LOCAL the connection itself; REQUEST the library, which asks.
    kind: EventKind
    #: Not 0 where the server waits for an answer: see reply().
    ack_id: int

    def __init__(self, client: BaseClient, pointer: int) -> None:
        raw = RawEvent.from_address(pointer)
        self._client = client
        self.name = raw.name.decode()
        self.args = arguments_of(pointer, raw)
        self.kind = _KINDS[raw.kind]
        self.ack_id = raw.ack_id
        self._request = raw.request

    @property
    def data(self) -> Any:
        """The first argument, None where there is none. Of an IM event it is the envelope."""
        return self.args[0] if self.args else None

    @property
    def payload(self) -> Any:
        """Of an IM event: what the envelope carries. None where there is no envelope."""
        inner = self._in_envelope("data")
        return inner.get("payload") if isinstance(inner, dict) else None

    @property
    def code(self) -> int | None:
        """Of an IM event: the envelope's code, see Code. None where there is no envelope."""
        code = self._in_envelope("code")
        return code if isinstance(code, int) else None

    def _in_envelope(self, field: str) -> Any:
        envelope = self.data
        return envelope.get(field) if isinstance(envelope, dict) else None

    @property
    def wants_reply(self) -> bool:
        """Whether somebody waits for an answer: the server, or with ask_auth or ask_query the library."""
        return self.ack_id != 0 or self.kind is EventKind.REQUEST

    def reply(self, *args: Any) -> None:
        """Answers, in the handler or later, from any thread.

        Raises NotFoundError where it was answered already, or nobody asked; DisconnectedError where the connection that
        it came by is gone.
        """
        handle = self._client._handle
        if self.kind is EventKind.REQUEST:
            check(library.im_client_answer(handle, self._request, dump(args[0] if args else None)))
            return
        answer = Encoded(args)
        check(
            library.im_client_reply_args(handle, self.ack_id, answer.text, len(answer.text), answer.blobs, answer.count)
        )

    def __repr__(self) -> str:
        asked = f", ack_id={self.ack_id}" if self.ack_id else ""
        return f"Event({self.name!r}, args={self.args!r}{asked})"


def event_or_failure(client: BaseClient, pointer: int) -> Event | Exception:
    """A reply; whoever waits for it is told where it is nothing that Python can have, like a number too long."""
    try:
        return Event(client, pointer)
    except Exception as failure:
        return failure


def reply_value(args: list[Any]) -> Any:
    """An acknowledgement as a value: none, the one argument, or a tuple of them."""
    if len(args) > 1:
        return tuple(args)
    return args[0] if args else None
