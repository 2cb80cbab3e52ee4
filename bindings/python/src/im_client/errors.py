"""What can go wrong, as exceptions: ImError, and a kind of it for each status that a program may want to tell apart."""

from __future__ import annotations

import asyncio
from typing import Any

from .constants import Status

# Until Python 3.10 asyncio's was another one.
_TIMEOUTS: tuple[type[BaseException], ...] = tuple(dict.fromkeys((TimeoutError, asyncio.TimeoutError)))


class ImError(Exception):
    """A call that failed, or a request that did not end well. Nothing was changed by a call that failed."""

    #: The status of the C library, negative.
    status: int
    #: Its name there, like "IM_ERROR_TIMEOUT".
    name: str
    #: What happened, in words that name the option or argument at fault.
    text: str

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        known = status in Status.__members__.values()
        self.status = Status(status) if known else status
        self.name = f"IM_{Status(status).name}" if known else "IM_ERROR_UNKNOWN"
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} ({self.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it survives the way out of another process."""
        return type(self), (int(self.status), self.text), self.__dict__


class InvalidArgumentError(ImError, ValueError):
    """An argument is of the wrong type, out of range or reserved."""


class ClosedError(ImError):
    """The client was destroyed."""


class EncodingError(ImError, ValueError):
    """A text can't be UTF-8: it has half of a surrogate pair."""


class JsonError(ImError, ValueError):
    """A value can't be made JSON, or is not of the shape that is asked for."""


class OptionError(ImError, ValueError):
    """An option is unknown, of the wrong type or out of range."""


class UnsupportedError(ImError):
    """Known, but not built."""


class QueueFullError(ImError):
    """The send queue is full; nothing was queued."""


class RequestTimeoutError(ImError, *_TIMEOUTS):  # type: ignore[misc]  # One class or two, as the version of Python has it.
    """The time is over. A TimeoutError, and an asyncio.TimeoutError."""


class CanceledError(ImError):
    """Ended by the end of the client, or by what dropped it."""


class DisconnectedError(ImError, ConnectionError):
    """The connection was lost, so no answer can come."""


class NotFoundError(ImError, LookupError):
    """No such subscription or question, or it was answered already."""


class DeadlockError(ImError):
    """The call would wait for itself: not inside a handler."""


class LibraryPanicError(ImError):
    """A defect of the library; the client was closed."""


class ForkedError(ImError):
    """The client is from before a fork; it belongs to the parent process. Make a new one in the child."""


class PlatformError(ImError, OSError):
    """The operating system refused something: threads, memory, descriptors, the store's file."""


class RefusedError(ImError):
    """The server answered a message with a failure."""

    #: The server's business code, see Code; None where it gave none.
    code: int | None = None
    #: The server's whole answer: the envelope of the `to_ack` or `im_error`.
    reply: Any = None


class TooLargeError(ImError, ValueError):
    """The server takes no packet of this size; it would close the connection."""


class VersionError(ImError, ImportError):  # type: ignore[misc]  # `name` is the status's, not the module's.
    """The C library that was found is of another version. Raised by `import im_client`."""


_KINDS: dict[int, type[ImError]] = {
    Status.ERROR_INVALID_ARGUMENT: InvalidArgumentError,
    Status.ERROR_HANDLE: ClosedError,
    Status.ERROR_UTF8: EncodingError,
    Status.ERROR_JSON: JsonError,
    Status.ERROR_OPTION: OptionError,
    Status.ERROR_UNSUPPORTED: UnsupportedError,
    Status.ERROR_QUEUE_FULL: QueueFullError,
    Status.ERROR_TIMEOUT: RequestTimeoutError,
    Status.ERROR_CANCELED: CanceledError,
    Status.ERROR_DISCONNECTED: DisconnectedError,
    Status.ERROR_NOT_FOUND: NotFoundError,
    Status.ERROR_DEADLOCK: DeadlockError,
    Status.ERROR_PANIC: LibraryPanicError,
    Status.ERROR_FORKED: ForkedError,
    Status.ERROR_SYSTEM: PlatformError,
    Status.ERROR_REFUSED: RefusedError,
    Status.ERROR_TOO_LARGE: TooLargeError,
    Status.ERROR_VERSION: VersionError,
}


def error_of(status: int, text: str) -> ImError:
    """The exception for a status."""
    return _KINDS.get(status, ImError)(status, text)


def invalid(text: str) -> ImError:
    """An argument that never reached the library."""
    return InvalidArgumentError(Status.ERROR_INVALID_ARGUMENT, text)
