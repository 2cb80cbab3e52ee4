// Made by generate.py from bindings/abi.json. Do not edit.

extension EventName {
    /// A business error of the server; see IM_CODE_….
    public static let imError = EventName("im_error")
    /// sso: the result of a QR-code login; emit "ping" to be answered with "pong".
    public static let ssoQRLogin = EventName("qrlogin")
    /// chat: send a message.
    public static let chatTo = EventName("to")
    /// chat: the server stored a message; the payload is the saved message.
    public static let chatToAck = EventName("to_ack")
    /// chat: who is online, on every arrival and departure.
    public static let chatOnline = EventName("c_online")
    /// chat: a message for this user.
    public static let chatMessage = EventName("c_message")
    /// chat: the receipt for messages; sent by the library itself.
    public static let chatMessageAck = EventName("c_message_ack")
    /// chat: messages that came while the user was away.
    public static let chatPullOfflineMessage = EventName("offline_message")
    /// chat: a conversation's history, newest first.
    public static let chatPullHistoryMessage = EventName("history_message")
    /// chat: the list of conversations.
    public static let chatPullRecentConversation = EventName("recent_conversation")
    /// chat: asks for read receipts; answered as IM_CHAT_TO_READED.
    public static let chatPullReadedMessage = EventName("readed_message")
    /// chat: read receipts.
    public static let chatToReaded = EventName("to_reader")
    /// chat: somebody is typing.
    public static let chatToTyping = EventName("to_typing")
    /// chat: recalls a message.
    public static let chatToUndo = EventName("to_undo")
    /// chat: a group was created, changed or destroyed.
    public static let chatGroupNotice = EventName("g_notice")
    /// chat: a system message.
    public static let chatSystemNotice = EventName("sys_notice")
    /// connected: {"sid", "protocol": 3 or 4, "transport", "path", "recovered"}.
    public static let connect = EventName("connect")
    /// an attempt failed: {"message", "willRetry", "attempts": [{"path", "url", "transport", "step", "status"?,
    /// "message"}], "data"? (the server's refusal), "code"? (an im_error that came with it)}.
    public static let connectError = EventName("connect_error")
    /// the connection goes on over another transport: {"transport"}.
    public static let upgrade = EventName("upgrade")
    /// the connection is gone: {"reason", "description"?, "code"?, "willReconnect"}.
    public static let disconnect = EventName("disconnect")
    /// a 2.x server refused the namespace or reports an error: what it said, as JSON.
    public static let error = EventName("error")
    /// an attempt after a loss or a failed attempt begins: {"attempt"}.
    public static let reconnectAttempt = EventName("reconnect_attempt")
    /// connected again: {"attempt"}.
    public static let reconnect = EventName("reconnect")
    /// that attempt failed: as connect_error, with "attempt".
    public static let reconnectError = EventName("reconnect_error")
    /// no attempt is left: {"attempts"}.
    public static let reconnectFailed = EventName("reconnect_failed")
    /// a heartbeat: the server's ping (3.x and later), or its answer to ours (2.x): {"latencyMs"?}. The library's own
    /// comes only where somebody subscribes to it by its name.
    public static let ping = EventName("ping")
    /// the outcome of a message that an earlier client left in the store: {"fp", "status": an im_status, "message": as
    /// it was sent, "reply"?: the argument of the to_ack or im_error}.
    public static let outbox = EventName("outbox")
    /// a request (option askQuery): the query of the next connection, which waits for im_client_answer: {"attempt"}, 0
    /// for the first.
    public static let query = EventName("query")
    /// a request (option askAuth): the same for the auth: {"attempt"}.
    public static let auth = EventName("auth")

    /// The constants that servers written from the first documentation use as names, and the names on the wire.
    static let wireNames: [String: String] = [
        "IMERROR": "im_error",
        "SSO_QRLOGIN": "qrlogin",
        "CHAT_TO": "to",
        "CHAT_TO_ACK": "to_ack",
        "CHAT_ONLINE": "c_online",
        "CHAT_MESSAGE": "c_message",
        "CHAT_MESSAGE_ACK": "c_message_ack",
        "CHAT_PULL_OFFLINE_MESSAGE": "offline_message",
        "CHAT_PULL_HISTORY_MESSAGE": "history_message",
        "CHAT_PULL_RECENT_CONVERSATION": "recent_conversation",
        "CHAT_PULL_READED_MESSAGE": "readed_message",
        "CHAT_TO_READED": "to_reader",
        "CHAT_TO_TYPING": "to_typing",
        "CHAT_TO_UNDO": "to_undo",
        "CHAT_GROUP_NOTICE": "g_notice",
        "CHAT_SYSTEM_NOTICE": "sys_notice",
    ]
}
