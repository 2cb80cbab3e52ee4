"""How a request ended, as a value or an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._event import reply_value
from ._library import library
from .constants import Status
from .errors import ImError, RefusedError, error_of

if TYPE_CHECKING:
    from ._event import Event

_TEXT = {
    Status.ERROR_TIMEOUT: "the server did not answer in time",
    Status.ERROR_CANCELED: "canceled by the end of the client, or by what dropped the request",
    Status.ERROR_DISCONNECTED: "the connection was lost before the server answered",
    Status.ERROR_REFUSED: "the server refused the message",
}


def outcome(status: int, answer: Event | None, stored: bool) -> tuple[Any, ImError | None]:
    """The value that the server answered with, or what went wrong; of a message (stored) it is what it stored."""
    if status == Status.OK:
        if answer is None:
            return None, None
        return (answer.payload if stored else reply_value(answer.args)), None
    text = _TEXT.get(Status(status)) or library.im_status_text(status).decode()
    error = error_of(status, text)
    if isinstance(error, RefusedError) and answer is not None:
        error.code, error.reply = answer.code, answer.data
    return None, error
