"""Socket.IO instant messaging: Client for threads, AsyncClient for asyncio.

from im_client import CHAT_MESSAGE, Client

with Client("http://127.0.0.1:7001", "chat", query={"token": "t", "userId": "111"}) as client:

    @client.on(CHAT_MESSAGE)
    def show(event):
        print(event.payload["from"], event.payload["content"])

    client.send_message({"type": 1, "from": "111", "to": "echo", "content": "hi"})
"""

from . import _exit as _exit
from . import constants
from ._async_stream import AsyncStream
from ._event import Event
from ._library import library as _library
from ._message import Message, create_message, timeline_id, unique_messages
from ._options_table import Options
from ._stream import Stream
from ._version import __version__
from .aio import AsyncClient
from .client import Client
from .constants import *  # noqa: F403
from .errors import (
    CanceledError,
    ClosedError,
    DeadlockError,
    DisconnectedError,
    EncodingError,
    ForkedError,
    ImError,
    InvalidArgumentError,
    JsonError,
    LibraryPanicError,
    NotFoundError,
    OptionError,
    PlatformError,
    QueueFullError,
    RefusedError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedError,
    VersionError,
)

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "CanceledError",
    "Client",
    "ClosedError",
    "DeadlockError",
    "DisconnectedError",
    "EncodingError",
    "Event",
    "ForkedError",
    "ImError",
    "InvalidArgumentError",
    "JsonError",
    "LibraryPanicError",
    "Message",
    "NotFoundError",
    "OptionError",
    "Options",
    "PlatformError",
    "QueueFullError",
    "RefusedError",
    "RequestTimeoutError",
    "Stream",
    "TooLargeError",
    "UnsupportedError",
    "VersionError",
    "__version__",
    "client_count",
    "create_message",
    "timeline_id",
    "unique_messages",
]
__all__ += constants.__all__


def client_count() -> int:
    """How many clients live in this process."""
    count: int = _library.im_client_count()
    return count
