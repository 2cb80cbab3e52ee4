"""The names of events, and the numbers that mean something.

Made by generate.py from bindings/abi.json. Do not edit.
"""

from enum import IntEnum
from typing import Final

__all__ = [
    "CHAT_GROUP_NOTICE",
    "CHAT_MESSAGE",
    "CHAT_MESSAGE_ACK",
    "CHAT_ONLINE",
    "CHAT_PULL_HISTORY_MESSAGE",
    "CHAT_PULL_OFFLINE_MESSAGE",
    "CHAT_PULL_READED_MESSAGE",
    "CHAT_PULL_RECENT_CONVERSATION",
    "CHAT_SYSTEM_NOTICE",
    "CHAT_TO",
    "CHAT_TO_ACK",
    "CHAT_TO_READED",
    "CHAT_TO_TYPING",
    "CHAT_TO_UNDO",
    "Code",
    "EVENT_AUTH",
    "EVENT_CONNECT",
    "EVENT_CONNECT_ERROR",
    "EVENT_DISCONNECT",
    "EVENT_ERROR",
    "EVENT_OUTBOX",
    "EVENT_PING",
    "EVENT_QUERY",
    "EVENT_RECONNECT",
    "EVENT_RECONNECT_ATTEMPT",
    "EVENT_RECONNECT_ERROR",
    "EVENT_RECONNECT_FAILED",
    "EVENT_UPGRADE",
    "EventKind",
    "IMERROR",
    "MessageDomain",
    "MessageType",
    "SSO_QRLOGIN",
    "State",
    "Status",
]


class Code(IntEnum):
    """The server's business codes, as in an envelope's `code`."""

    #: A business code of the server: success.
    OK = 0
    #: Failure, without a code of its own.
    FAIL = 1
    #: The session must log in again.
    RELOGIN = 401
    #: The token is invalid or expired, or a conversation is not this user's.
    AUTH_FAILED = 20001
    #: A parameter of the query or of a request is missing.
    PARAMETER_ABSENT = 20002
    #: The message could not be sent, for example to a group that does not exist.
    SEND_FAILED = 20003
    #: The same user signed in on another device of the same class; this connection is being kicked out.
    OTHER_DEVICE = 20004


class MessageType(IntEnum):
    """A message's `type`."""

    #: A message's `type`: text.
    TEXT = 1
    #: An image; the content is its URL.
    IMAGE = 2
    #: A voice message; the content is its URL.
    VOICE = 3
    #: A text that was recalled (made by the server).
    RECALLED_TEXT = 10
    #: Merged messages (made by the server).
    MERGED = 11
    #: A recalled message that was no text (made by the server).
    RECALLED = 21


class MessageDomain(IntEnum):
    """A message's `typeu`: what kind of conversation it belongs to."""

    #: A message's `typeu`: one to one.
    DIRECT = 1
    #: To a group.
    GROUP = 2
    #: From the system.
    SYSTEM = 3
    #: A notice.
    NOTICE = 4


class EventKind(IntEnum):
    """What an event is."""

    #: An event of the server, whatever its name, or one that this client sends.
    EVENT = 0
    #: The outcome of a request: the server's answer, or why there is none (`status`).
    ACK = 1
    #: A question of the library, answered by `im_client_answer`.
    REQUEST = 2
    #: An event of the connection, made by the library itself: no server can send one.
    LOCAL = 3


class State(IntEnum):
    """The state of a client's connection."""

    #: No connection, and none wanted.
    DISCONNECTED = 0
    #: A connection is being made.
    CONNECTING = 1
    #: The namespace is connected.
    CONNECTED = 2
    #: Waits for the next attempt.
    RECONNECTING = 3


class Status(IntEnum):
    """What a call of the C library gives: the `status` of an ImError."""

    #: Success.
    OK = 0
    #: Accepted; the rest happens when the code that the library runs on this thread has returned.
    DEFERRED = 1
    #: `im_client_wake` ended the call; there is no event.
    WOKEN = 2
    #: An argument is NULL, out of range or reserved.
    ERROR_INVALID_ARGUMENT = -1
    #: No such client: the handle is zero, stale or was never given.
    ERROR_HANDLE = -2
    #: A string is not UTF-8.
    ERROR_UTF8 = -3
    #: A string is not valid JSON, or not of the shape that is asked for.
    ERROR_JSON = -4
    #: An option is unknown, of the wrong type or out of range.
    ERROR_OPTION = -5
    #: Known, but not built.
    ERROR_UNSUPPORTED = -6
    #: The send queue is full; nothing was queued.
    ERROR_QUEUE_FULL = -7
    #: The time is over.
    ERROR_TIMEOUT = -8
    #: Canceled by the caller, or by the end of the client.
    ERROR_CANCELED = -9
    #: The connection was lost, so no answer can come.
    ERROR_DISCONNECTED = -10
    #: No such subscription, request or acknowledgement, or its outcome is decided.
    ERROR_NOT_FOUND = -11
    #: The call would wait for itself: not inside a callback.
    ERROR_DEADLOCK = -12
    #: A defect of the library; the client was closed.
    ERROR_PANIC = -13
    #: The handle is from before a fork; it belongs to the parent process.
    ERROR_FORKED = -14
    #: The operating system refused something: threads, memory, descriptors, randomness, the store's file.
    ERROR_SYSTEM = -15
    #: The server answered with a failure code.
    ERROR_REFUSED = -16
    #: The server takes no packet of this size; it would close the connection.
    ERROR_TOO_LARGE = -17
    #: The program was built for another version of the library.
    ERROR_VERSION = -18


#: A business error of the server; see CODE_….
IMERROR: Final = "im_error"
#: sso: the result of a QR-code login; emit "ping" to be answered with "pong".
SSO_QRLOGIN: Final = "qrlogin"
#: chat: send a message.
CHAT_TO: Final = "to"
#: chat: the server stored a message; the payload is the saved message.
CHAT_TO_ACK: Final = "to_ack"
#: chat: who is online, on every arrival and departure.
CHAT_ONLINE: Final = "c_online"
#: chat: a message for this user.
CHAT_MESSAGE: Final = "c_message"
#: chat: the receipt for messages; sent by the library itself.
CHAT_MESSAGE_ACK: Final = "c_message_ack"
#: chat: messages that came while the user was away.
CHAT_PULL_OFFLINE_MESSAGE: Final = "offline_message"
#: chat: a conversation's history, newest first.
CHAT_PULL_HISTORY_MESSAGE: Final = "history_message"
#: chat: the list of conversations.
CHAT_PULL_RECENT_CONVERSATION: Final = "recent_conversation"
#: chat: asks for read receipts; answered as CHAT_TO_READED.
CHAT_PULL_READED_MESSAGE: Final = "readed_message"
#: chat: read receipts.
CHAT_TO_READED: Final = "to_reader"
#: chat: somebody is typing.
CHAT_TO_TYPING: Final = "to_typing"
#: chat: recalls a message.
CHAT_TO_UNDO: Final = "to_undo"
#: chat: a group was created, changed or destroyed.
CHAT_GROUP_NOTICE: Final = "g_notice"
#: chat: a system message.
CHAT_SYSTEM_NOTICE: Final = "sys_notice"
#: The connection's own: connected: {"sid", "protocol": 3 or 4, "transport", "path", "recovered"}.
EVENT_CONNECT: Final = "connect"
#: The connection's own: an attempt failed: {"message", "willRetry", "attempts": [{"path", "url", "transport", "step",
#: "status"?, "message"}], "data"? (the server's refusal), "code"? (an im_error that came with it)}.
EVENT_CONNECT_ERROR: Final = "connect_error"
#: The connection's own: the connection goes on over another transport: {"transport"}.
EVENT_UPGRADE: Final = "upgrade"
#: The connection's own: the connection is gone: {"reason", "description"?, "code"?, "willReconnect"}.
EVENT_DISCONNECT: Final = "disconnect"
#: The connection's own: a 2.x server refused the namespace or reports an error: what it said, as JSON.
EVENT_ERROR: Final = "error"
#: The connection's own: an attempt after a loss or a failed attempt begins: {"attempt"}.
EVENT_RECONNECT_ATTEMPT: Final = "reconnect_attempt"
#: The connection's own: connected again: {"attempt"}.
EVENT_RECONNECT: Final = "reconnect"
#: The connection's own: that attempt failed: as connect_error, with "attempt".
EVENT_RECONNECT_ERROR: Final = "reconnect_error"
#: The connection's own: no attempt is left: {"attempts"}.
EVENT_RECONNECT_FAILED: Final = "reconnect_failed"
#: The connection's own: a heartbeat: the server's ping (3.x and later), or its answer to ours (2.x): {"latencyMs"?}.
#: The library's own comes only where somebody subscribes to it by its name.
EVENT_PING: Final = "ping"
#: The connection's own: the outcome of a message that an earlier client left in the store: {"fp", "status": an
#: im_status, "message": as it was sent, "reply"?: the argument of the to_ack or im_error}.
EVENT_OUTBOX: Final = "outbox"
#: The connection's own: a request (option askQuery): the query of the next connection, which waits for
#: im_client_answer: {"attempt"}, 0 for the first.
EVENT_QUERY: Final = "query"
#: The connection's own: a request (option askAuth): the same for the auth: {"attempt"}.
EVENT_AUTH: Final = "auth"
