// Made by generate.py from bindings/abi.json. Do not edit.

package im.client

/** Names of events: those of the IM server, as they are on the wire, and the connection's own. */
public object Events {
    /** A business error of the server; see IM_CODE_…. */
    public const val IMERROR: String = "im_error"

    /** sso: the result of a QR-code login; emit "ping" to be answered with "pong". */
    public const val SSO_QRLOGIN: String = "qrlogin"

    /** chat: send a message. */
    public const val CHAT_TO: String = "to"

    /** chat: the server stored a message; the payload is the saved message. */
    public const val CHAT_TO_ACK: String = "to_ack"

    /** chat: who is online, on every arrival and departure. */
    public const val CHAT_ONLINE: String = "c_online"

    /** chat: a message for this user. */
    public const val CHAT_MESSAGE: String = "c_message"

    /** chat: the receipt for messages; sent by the library itself. */
    public const val CHAT_MESSAGE_ACK: String = "c_message_ack"

    /** chat: messages that came while the user was away. */
    public const val CHAT_PULL_OFFLINE_MESSAGE: String = "offline_message"

    /** chat: a conversation's history, newest first. */
    public const val CHAT_PULL_HISTORY_MESSAGE: String = "history_message"

    /** chat: the list of conversations. */
    public const val CHAT_PULL_RECENT_CONVERSATION: String = "recent_conversation"

    /** chat: asks for read receipts; answered as IM_CHAT_TO_READED. */
    public const val CHAT_PULL_READED_MESSAGE: String = "readed_message"

    /** chat: read receipts. */
    public const val CHAT_TO_READED: String = "to_reader"

    /** chat: somebody is typing. */
    public const val CHAT_TO_TYPING: String = "to_typing"

    /** chat: recalls a message. */
    public const val CHAT_TO_UNDO: String = "to_undo"

    /** chat: a group was created, changed or destroyed. */
    public const val CHAT_GROUP_NOTICE: String = "g_notice"

    /** chat: a system message. */
    public const val CHAT_SYSTEM_NOTICE: String = "sys_notice"

    /** The connection's own: connected: {"sid", "protocol": 3 or 4, "transport", "path", "recovered"}. */
    public const val CONNECT: String = "connect"

    /**
     * The connection's own: an attempt failed: {"message", "willRetry", "attempts": [{"path", "url", "transport", "step",
     * "status"?, "message"}], "data"? (the server's refusal), "code"? (an im_error that came with it)}.
     */
    public const val CONNECT_ERROR: String = "connect_error"

    /** The connection's own: the connection goes on over another transport: {"transport"}. */
    public const val UPGRADE: String = "upgrade"

    /** The connection's own: the connection is gone: {"reason", "description"?, "code"?, "willReconnect"}. */
    public const val DISCONNECT: String = "disconnect"

    /** The connection's own: a 2.x server refused the namespace or reports an error: what it said, as JSON. */
    public const val ERROR: String = "error"

    /** The connection's own: an attempt after a loss or a failed attempt begins: {"attempt"}. */
    public const val RECONNECT_ATTEMPT: String = "reconnect_attempt"

    /** The connection's own: connected again: {"attempt"}. */
    public const val RECONNECT: String = "reconnect"

    /** The connection's own: that attempt failed: as connect_error, with "attempt". */
    public const val RECONNECT_ERROR: String = "reconnect_error"

    /** The connection's own: no attempt is left: {"attempts"}. */
    public const val RECONNECT_FAILED: String = "reconnect_failed"

    /**
     * The connection's own: a heartbeat: the server's ping (3.x and later), or its answer to ours (2.x): {"latencyMs"?}.
     * The library's own comes only where somebody subscribes to it by its name.
     */
    public const val PING: String = "ping"

    /**
     * The connection's own: the outcome of a message that an earlier client left in the store: {"fp", "status": an
     * im_status, "message": as it was sent, "reply"?: the argument of the to_ack or im_error}.
     */
    public const val OUTBOX: String = "outbox"

    /**
     * The connection's own: a request (option askQuery): the query of the next connection, which waits for
     * im_client_answer: {"attempt"}, 0 for the first.
     */
    public const val QUERY: String = "query"

    /** The connection's own: a request (option askAuth): the same for the auth: {"attempt"}. */
    public const val AUTH: String = "auth"
}

/** The server's business codes: `code` of an [Envelope]. */
public object Codes {
    /** A business code of the server: success. */
    public const val OK: Int = 0

    /** Failure, without a code of its own. */
    public const val FAIL: Int = 1

    /** The session must log in again. */
    public const val RELOGIN: Int = 401

    /** The token is invalid or expired, or a conversation is not this user's. */
    public const val AUTH_FAILED: Int = 20001

    /** A parameter of the query or of a request is missing. */
    public const val PARAMETER_ABSENT: Int = 20002

    /** The message could not be sent, for example to a group that does not exist. */
    public const val SEND_FAILED: Int = 20003

    /** The same user signed in on another device of the same class; this connection is being kicked out. */
    public const val OTHER_DEVICE: Int = 20004

    /** The name of a code as the C header has it, such as `IM_CODE_AUTH_FAILED`; null for another number. */
    @JvmStatic
    public fun nameOf(code: Int): String? =
        when (code) {
            OK -> "IM_CODE_OK"
            FAIL -> "IM_CODE_FAIL"
            RELOGIN -> "IM_CODE_RELOGIN"
            AUTH_FAILED -> "IM_CODE_AUTH_FAILED"
            PARAMETER_ABSENT -> "IM_CODE_PARAMETER_ABSENT"
            SEND_FAILED -> "IM_CODE_SEND_FAILED"
            OTHER_DEVICE -> "IM_CODE_OTHER_DEVICE"
            else -> null
        }
}

/** What a [Message] is: its `type`. */
public object MessageTypes {
    /** A message's `type`: text. */
    public const val TEXT: Int = 1

    /** An image; the content is its URL. */
    public const val IMAGE: Int = 2

    /** A voice message; the content is its URL. */
    public const val VOICE: Int = 3

    /** A text that was recalled (made by the server). */
    public const val RECALLED_TEXT: Int = 10

    /** Merged messages (made by the server). */
    public const val MERGED: Int = 11

    /** A recalled message that was no text (made by the server). */
    public const val RECALLED: Int = 21
}

/** Whom a [Message] is for: its `typeu`. */
public object MessageDomains {
    /** A message's `typeu`: one to one. */
    public const val DIRECT: Int = 1

    /** To a group. */
    public const val GROUP: Int = 2

    /** From the system. */
    public const val SYSTEM: Int = 3

    /** A notice. */
    public const val NOTICE: Int = 4
}

/** Outcomes of calls of the C library: [ImException.status]. */
public object Statuses {
    /** Success. */
    public const val OK: Int = 0

    /** Accepted; the rest happens when the code that the library runs on this thread has returned. */
    public const val DEFERRED: Int = 1

    /** `im_client_wake` ended the call; there is no event. */
    public const val WOKEN: Int = 2

    /** An argument is NULL, out of range or reserved. */
    public const val ERROR_INVALID_ARGUMENT: Int = -1

    /** No such client: the handle is zero, stale or was never given. */
    public const val ERROR_HANDLE: Int = -2

    /** A string is not UTF-8. */
    public const val ERROR_UTF8: Int = -3

    /** A string is not valid JSON, or not of the shape that is asked for. */
    public const val ERROR_JSON: Int = -4

    /** An option is unknown, of the wrong type or out of range. */
    public const val ERROR_OPTION: Int = -5

    /** Known, but not built. */
    public const val ERROR_UNSUPPORTED: Int = -6

    /** The send queue is full; nothing was queued. */
    public const val ERROR_QUEUE_FULL: Int = -7

    /** The time is over. */
    public const val ERROR_TIMEOUT: Int = -8

    /** Canceled by the caller, or by the end of the client. */
    public const val ERROR_CANCELED: Int = -9

    /** The connection was lost, so no answer can come. */
    public const val ERROR_DISCONNECTED: Int = -10

    /** No such subscription, request or acknowledgement, or its outcome is decided. */
    public const val ERROR_NOT_FOUND: Int = -11

    /** The call would wait for itself: not inside a callback. */
    public const val ERROR_DEADLOCK: Int = -12

    /** A defect of the library; the client was closed. */
    public const val ERROR_PANIC: Int = -13

    /** The handle is from before a fork; it belongs to the parent process. */
    public const val ERROR_FORKED: Int = -14

    /** The operating system refused something: threads, memory, descriptors, randomness, the store's file. */
    public const val ERROR_SYSTEM: Int = -15

    /** The server answered with a failure code. */
    public const val ERROR_REFUSED: Int = -16

    /** The server takes no packet of this size; it would close the connection. */
    public const val ERROR_TOO_LARGE: Int = -17

    /** The program was built for another version of the library. */
    public const val ERROR_VERSION: Int = -18
}

/** What a client does about its connection. */
public enum class State(
    internal val value: Int,
) {
    /** No connection, and none wanted. */
    DISCONNECTED(0),

    /** A connection is being made. */
    CONNECTING(1),

    /** The namespace is connected. */
    CONNECTED(2),

    /** Waits for the next attempt. */
    RECONNECTING(3),
    ;

    internal companion object {
        fun of(value: Int): State = entries.first { it.value == value }
    }
}

/** How much the library's log tells. */
public enum class LogLevel(
    internal val value: Int,
) {
    /** No log. */
    OFF(0),

    /** Defects. */
    ERROR(1),

    /** What failed. */
    WARN(2),

    /** Connections made and lost. */
    INFO(3),

    /** Every attempt. */
    DEBUG(4),

    /** Everything. */
    TRACE(5),
    ;

    internal companion object {
        fun of(value: Int): LogLevel = entries.first { it.value == value }
    }
}

/** The version of the header that this package was made from. */
internal const val HEADER_VERSION: Int = 100

internal const val EMIT_VOLATILE: Int = 1

internal const val KIND_EVENT: Int = 0
internal const val KIND_ACK: Int = 1
internal const val KIND_REQUEST: Int = 2
internal const val KIND_LOCAL: Int = 3

/** The name on the wire of an IM event's constant. */
internal val WIRE_NAMES: Map<String, String> =
    mapOf(
        "IMERROR" to "im_error",
        "SSO_QRLOGIN" to "qrlogin",
        "CHAT_TO" to "to",
        "CHAT_TO_ACK" to "to_ack",
        "CHAT_ONLINE" to "c_online",
        "CHAT_MESSAGE" to "c_message",
        "CHAT_MESSAGE_ACK" to "c_message_ack",
        "CHAT_PULL_OFFLINE_MESSAGE" to "offline_message",
        "CHAT_PULL_HISTORY_MESSAGE" to "history_message",
        "CHAT_PULL_RECENT_CONVERSATION" to "recent_conversation",
        "CHAT_PULL_READED_MESSAGE" to "readed_message",
        "CHAT_TO_READED" to "to_reader",
        "CHAT_TO_TYPING" to "to_typing",
        "CHAT_TO_UNDO" to "to_undo",
        "CHAT_GROUP_NOTICE" to "g_notice",
        "CHAT_SYSTEM_NOTICE" to "sys_notice",
    )
