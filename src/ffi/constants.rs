//! Numbers of the ABI. Statuses, event names and the version are made by the build script from their tables.

/// A business code of the server: success.
pub const IM_CODE_OK: i32 = 0;
/// Failure, without a code of its own.
pub const IM_CODE_FAIL: i32 = 1;
/// The session must log in again.
pub const IM_CODE_RELOGIN: i32 = 401;
/// The token is invalid or expired, or a conversation is not this user's.
pub const IM_CODE_AUTH_FAILED: i32 = 20001;
/// A parameter of the query or of a request is missing.
pub const IM_CODE_PARAMETER_ABSENT: i32 = 20002;
/// The message could not be sent, for example to a group that does not exist.
pub const IM_CODE_SEND_FAILED: i32 = 20003;
/// The same user signed in on another device of the same class; this connection is being kicked out.
pub const IM_CODE_OTHER_DEVICE: i32 = 20004;

/// A message's `type`: text.
pub const IM_MESSAGE_TYPE_TEXT: i32 = 1;
/// An image; the content is its URL.
pub const IM_MESSAGE_TYPE_IMAGE: i32 = 2;
/// A voice message; the content is its URL.
pub const IM_MESSAGE_TYPE_VOICE: i32 = 3;
/// A text that was recalled (made by the server).
pub const IM_MESSAGE_TYPE_RECALLED_TEXT: i32 = 10;
/// Merged messages (made by the server).
pub const IM_MESSAGE_TYPE_MERGED: i32 = 11;
/// A recalled message that was no text (made by the server).
pub const IM_MESSAGE_TYPE_RECALLED: i32 = 21;

/// A message's `typeu`: one to one.
pub const IM_MESSAGE_DOMAIN_DIRECT: i32 = 1;
/// To a group.
pub const IM_MESSAGE_DOMAIN_GROUP: i32 = 2;
/// From the system.
pub const IM_MESSAGE_DOMAIN_SYSTEM: i32 = 3;
/// A notice.
pub const IM_MESSAGE_DOMAIN_NOTICE: i32 = 4;

/// An event of the server, whatever its name, or one that this client sends.
pub const IM_EVENT_KIND_EVENT: i32 = 0;
/// The outcome of a request: the server's answer, or why there is none (`status`).
pub const IM_EVENT_KIND_ACK: i32 = 1;
/// A question of the library, answered by `im_client_answer`.
pub const IM_EVENT_KIND_REQUEST: i32 = 2;
/// An event of the connection, made by the library itself: no server can send one.
pub const IM_EVENT_KIND_LOCAL: i32 = 3;

/// No connection, and none wanted.
pub const IM_STATE_DISCONNECTED: i32 = 0;
/// A connection is being made.
pub const IM_STATE_CONNECTING: i32 = 1;
/// The namespace is connected.
pub const IM_STATE_CONNECTED: i32 = 2;
/// Waits for the next attempt.
pub const IM_STATE_RECONNECTING: i32 = 3;

/// No log.
pub const IM_LOG_OFF: i32 = 0;
/// Defects.
pub const IM_LOG_ERROR: i32 = 1;
/// What failed.
pub const IM_LOG_WARN: i32 = 2;
/// Connections made and lost.
pub const IM_LOG_INFO: i32 = 3;
/// Every attempt.
pub const IM_LOG_DEBUG: i32 = 4;
/// Everything.
pub const IM_LOG_TRACE: i32 = 5;

/// For `im_client_emit_args`: dropped unless the client is connected and its socket takes what it is given.
pub const IM_EMIT_VOLATILE: u32 = 1;
/// For `im_client_subscribe`: ends with the first event.
pub const IM_SUBSCRIBE_ONCE: u32 = 1;
/// For `im_client_subscribe`: what this client sends, as `im_client_on_any_outgoing`; `event` must be NULL.
pub const IM_SUBSCRIBE_OUTGOING: u32 = 2;
