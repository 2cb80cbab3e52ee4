// The one list of the IM protocol's events: constant, name on the wire, what it is. The build script reads this file too and
// makes the header's `IM_…` names from it.

/// `(constant, wire name, meaning)`
pub const EVENTS: [(&str, &str, &str); 16] = [
    ("IMERROR", "im_error", "A business error of the server; see IM_CODE_…."),
    (
        "SSO_QRLOGIN",
        "qrlogin",
        "sso: the result of a QR-code login; emit \"ping\" to be answered with \"pong\".",
    ),
    ("CHAT_TO", "to", "chat: send a message."),
    ("CHAT_TO_ACK", "to_ack", "chat: the server stored a message; the payload is the saved message."),
    ("CHAT_ONLINE", "c_online", "chat: who is online, on every arrival and departure."),
    ("CHAT_MESSAGE", "c_message", "chat: a message for this user."),
    ("CHAT_MESSAGE_ACK", "c_message_ack", "chat: the receipt for messages; sent by the library itself."),
    ("CHAT_PULL_OFFLINE_MESSAGE", "offline_message", "chat: messages that came while the user was away."),
    ("CHAT_PULL_HISTORY_MESSAGE", "history_message", "chat: a conversation's history, newest first."),
    ("CHAT_PULL_RECENT_CONVERSATION", "recent_conversation", "chat: the list of conversations."),
    (
        "CHAT_PULL_READED_MESSAGE",
        "readed_message",
        "chat: asks for read receipts; answered as IM_CHAT_TO_READED.",
    ),
    ("CHAT_TO_READED", "to_reader", "chat: read receipts."),
    ("CHAT_TO_TYPING", "to_typing", "chat: somebody is typing."),
    ("CHAT_TO_UNDO", "to_undo", "chat: recalls a message."),
    ("CHAT_GROUP_NOTICE", "g_notice", "chat: a group was created, changed or destroyed."),
    ("CHAT_SYSTEM_NOTICE", "sys_notice", "chat: a system message."),
];
