// The library's constants as C++ has them. Made by bindings/cpp/generate.py: do not edit.
#ifndef IM_CLIENT_CONSTANTS_HPP
#define IM_CLIENT_CONSTANTS_HPP

#include <cstdint>
#include <im_client.h>
#include <string_view>

namespace im {

/// What a call, or a request, came to. Errors are negative.
enum class Status : im_status {
    /// Success.
    ok = IM_OK,
    /// Accepted; the rest happens when the code that the library runs on this thread has returned.
    deferred = IM_DEFERRED,
    /// `Client::wake` ended the call; there is no event.
    woken = IM_WOKEN,
    /// An argument is NULL, out of range or reserved.
    invalid_argument = IM_ERROR_INVALID_ARGUMENT,
    /// No such client: the handle is zero, stale or was never given.
    handle = IM_ERROR_HANDLE,
    /// A string is not UTF-8.
    utf8 = IM_ERROR_UTF8,
    /// A string is not valid JSON, or not of the shape that is asked for.
    json = IM_ERROR_JSON,
    /// An option is unknown, of the wrong type or out of range.
    option = IM_ERROR_OPTION,
    /// Known, but not built.
    unsupported = IM_ERROR_UNSUPPORTED,
    /// The send queue is full; nothing was queued.
    queue_full = IM_ERROR_QUEUE_FULL,
    /// The time is over.
    timeout = IM_ERROR_TIMEOUT,
    /// Canceled by the caller, or by the end of the client.
    canceled = IM_ERROR_CANCELED,
    /// The connection was lost, so no answer can come.
    disconnected = IM_ERROR_DISCONNECTED,
    /// No such subscription, request or acknowledgement, or its outcome is decided.
    not_found = IM_ERROR_NOT_FOUND,
    /// The call would wait for itself: not inside a callback.
    deadlock = IM_ERROR_DEADLOCK,
    /// A defect of the library; the client was closed.
    panic = IM_ERROR_PANIC,
    /// The handle is from before a fork; it belongs to the parent process.
    forked = IM_ERROR_FORKED,
    /// The operating system refused something: threads, memory, descriptors, randomness, the
    /// store's file.
    system = IM_ERROR_SYSTEM,
    /// The server answered with a failure code.
    refused = IM_ERROR_REFUSED,
    /// The server takes no packet of this size; it would close the connection.
    too_large = IM_ERROR_TOO_LARGE,
    /// The program was built for another version of the library.
    version = IM_ERROR_VERSION,
};

/// What a client is at.
enum class State : std::int32_t {
    /// No connection, and none wanted.
    disconnected = IM_STATE_DISCONNECTED,
    /// A connection is being made.
    connecting = IM_STATE_CONNECTING,
    /// The namespace is connected.
    connected = IM_STATE_CONNECTED,
    /// Waits for the next attempt.
    reconnecting = IM_STATE_RECONNECTING,
};

/// What an Event is.
enum class EventKind : std::int32_t {
    /// An event of the server, whatever its name, or one that this client sends.
    event = IM_EVENT_KIND_EVENT,
    /// The outcome of a request: the server's answer, or why there is none (`status`).
    ack = IM_EVENT_KIND_ACK,
    /// A question of the library, answered by `Client::answer`.
    request = IM_EVENT_KIND_REQUEST,
    /// An event of the connection, made by the library itself: no server can send one.
    local = IM_EVENT_KIND_LOCAL,
};

/// How much is logged; a level includes those before it.
enum class LogLevel : std::int32_t {
    /// No log.
    off = IM_LOG_OFF,
    /// Defects.
    error = IM_LOG_ERROR,
    /// What failed.
    warn = IM_LOG_WARN,
    /// Connections made and lost.
    info = IM_LOG_INFO,
    /// Every attempt.
    debug = IM_LOG_DEBUG,
    /// Everything.
    trace = IM_LOG_TRACE,
};

/// A business code of the server: `code` in its envelopes.
enum class Code : int {
    /// A business code of the server: success.
    ok = IM_CODE_OK,
    /// Failure, without a code of its own.
    fail = IM_CODE_FAIL,
    /// The session must log in again.
    relogin = IM_CODE_RELOGIN,
    /// The token is invalid or expired, or a conversation is not this user's.
    auth_failed = IM_CODE_AUTH_FAILED,
    /// A parameter of the query or of a request is missing.
    parameter_absent = IM_CODE_PARAMETER_ABSENT,
    /// The message could not be sent, for example to a group that does not exist.
    send_failed = IM_CODE_SEND_FAILED,
    /// The same user signed in on another device of the same class; this connection is being kicked
    /// out.
    other_device = IM_CODE_OTHER_DEVICE,
};

/// A message's `type`.
enum class MessageType : int {
    /// A message's `type`: text.
    text = IM_MESSAGE_TYPE_TEXT,
    /// An image; the content is its URL.
    image = IM_MESSAGE_TYPE_IMAGE,
    /// A voice message; the content is its URL.
    voice = IM_MESSAGE_TYPE_VOICE,
    /// A text that was recalled (made by the server).
    recalled_text = IM_MESSAGE_TYPE_RECALLED_TEXT,
    /// Merged messages (made by the server).
    merged = IM_MESSAGE_TYPE_MERGED,
    /// A recalled message that was no text (made by the server).
    recalled = IM_MESSAGE_TYPE_RECALLED,
};

/// A message's `typeu`.
enum class MessageDomain : int {
    /// A message's `typeu`: one to one.
    direct = IM_MESSAGE_DOMAIN_DIRECT,
    /// To a group.
    group = IM_MESSAGE_DOMAIN_GROUP,
    /// From the system.
    system = IM_MESSAGE_DOMAIN_SYSTEM,
    /// A notice.
    notice = IM_MESSAGE_DOMAIN_NOTICE,
};

/// Names of events, as they are on the wire.
namespace events {
/// A business error of the server; see Code.
inline constexpr std::string_view imerror = IM_IMERROR;
/// sso: the result of a QR-code login; emit "ping" to be answered with "pong".
inline constexpr std::string_view sso_qrlogin = IM_SSO_QRLOGIN;
/// chat: send a message.
inline constexpr std::string_view chat_to = IM_CHAT_TO;
/// chat: the server stored a message; the payload is the saved message.
inline constexpr std::string_view chat_to_ack = IM_CHAT_TO_ACK;
/// chat: who is online, on every arrival and departure.
inline constexpr std::string_view chat_online = IM_CHAT_ONLINE;
/// chat: a message for this user.
inline constexpr std::string_view chat_message = IM_CHAT_MESSAGE;
/// chat: the receipt for messages; sent by the library itself.
inline constexpr std::string_view chat_message_ack = IM_CHAT_MESSAGE_ACK;
/// chat: messages that came while the user was away.
inline constexpr std::string_view chat_pull_offline_message = IM_CHAT_PULL_OFFLINE_MESSAGE;
/// chat: a conversation's history, newest first.
inline constexpr std::string_view chat_pull_history_message = IM_CHAT_PULL_HISTORY_MESSAGE;
/// chat: the list of conversations.
inline constexpr std::string_view chat_pull_recent_conversation = IM_CHAT_PULL_RECENT_CONVERSATION;
/// chat: asks for read receipts; answered as events::chat_to_readed.
inline constexpr std::string_view chat_pull_readed_message = IM_CHAT_PULL_READED_MESSAGE;
/// chat: read receipts.
inline constexpr std::string_view chat_to_readed = IM_CHAT_TO_READED;
/// chat: somebody is typing.
inline constexpr std::string_view chat_to_typing = IM_CHAT_TO_TYPING;
/// chat: recalls a message.
inline constexpr std::string_view chat_to_undo = IM_CHAT_TO_UNDO;
/// chat: a group was created, changed or destroyed.
inline constexpr std::string_view chat_group_notice = IM_CHAT_GROUP_NOTICE;
/// chat: a system message.
inline constexpr std::string_view chat_system_notice = IM_CHAT_SYSTEM_NOTICE;
/// The connection's own: connected: {"sid", "protocol": 3 or 4, "transport", "path", "recovered"}.
inline constexpr std::string_view connect = IM_EVENT_CONNECT;
/// The connection's own: an attempt failed: {"message", "willRetry", "attempts": [{"path", "url",
/// "transport", "step", "status"?, "message"}], "data"? (the server's refusal), "code"? (an
/// im_error that came with it)}.
inline constexpr std::string_view connect_error = IM_EVENT_CONNECT_ERROR;
/// The connection's own: the connection goes on over another transport: {"transport"}.
inline constexpr std::string_view upgrade = IM_EVENT_UPGRADE;
/// The connection's own: the connection is gone: {"reason", "description"?, "code"?,
/// "willReconnect"}.
inline constexpr std::string_view disconnect = IM_EVENT_DISCONNECT;
/// The connection's own: a 2.x server refused the namespace or reports an error: what it said, as
/// JSON.
inline constexpr std::string_view error = IM_EVENT_ERROR;
/// The connection's own: an attempt after a loss or a failed attempt begins: {"attempt"}.
inline constexpr std::string_view reconnect_attempt = IM_EVENT_RECONNECT_ATTEMPT;
/// The connection's own: connected again: {"attempt"}.
inline constexpr std::string_view reconnect = IM_EVENT_RECONNECT;
/// The connection's own: that attempt failed: as connect_error, with "attempt".
inline constexpr std::string_view reconnect_error = IM_EVENT_RECONNECT_ERROR;
/// The connection's own: no attempt is left: {"attempts"}.
inline constexpr std::string_view reconnect_failed = IM_EVENT_RECONNECT_FAILED;
/// The connection's own: a heartbeat: the server's ping (3.x and later), or its answer to ours
/// (2.x): {"latencyMs"?}. The library's own comes only where somebody subscribes to it by its name.
inline constexpr std::string_view ping = IM_EVENT_PING;
/// The connection's own: the outcome of a message that an earlier client left in the store: {"fp",
/// "status": a Status, "message": as it was sent, "reply"?: the argument of the to_ack or
/// im_error}.
inline constexpr std::string_view outbox = IM_EVENT_OUTBOX;
/// The connection's own: a request (option askQuery): the query of the next connection, which waits
/// for Client::answer: {"attempt"}, 0 for the first.
inline constexpr std::string_view query = IM_EVENT_QUERY;
/// The connection's own: a request (option askAuth): the same for the auth: {"attempt"}.
inline constexpr std::string_view auth = IM_EVENT_AUTH;
} // namespace events

/// Names of the options of Client::create.
namespace options {
/// string; default: required. The server: scheme (`http`, `https`, `ws`, `wss`), host and port; no
/// path.
inline constexpr std::string_view root = "root";
/// string; default: required. The namespace: `chat`, `sso`, `/` or any other, with or without its
/// slash.
inline constexpr std::string_view nsp = "nsp";
/// object; default: {}. Goes into the URL: `token`, `userId`, `device_id`, `deviceType` ...; values
/// are strings, numbers or booleans. In `chat`, `deviceType` is `desktop` unless it is given.
inline constexpr std::string_view query = "query";
/// object; default: none. Goes into the CONNECT packet (Socket.IO 3 and later read it).
inline constexpr std::string_view auth = "auth";
/// boolean; default: false. Asks for the auth before each connection: a request event `auth` that
/// `Client::answer` answers.
inline constexpr std::string_view ask_auth = "askAuth";
/// boolean; default: false. The same for the query, by a request event `query`.
inline constexpr std::string_view ask_query = "askQuery";
/// string; default: `/ws`, then `/socket.io`. The HTTP path of the server's endpoint. By default
/// both are tried and the one that works is remembered.
inline constexpr std::string_view path = "path";
/// boolean; default: true. Asks for `{path}/`, as the official clients do.
inline constexpr std::string_view add_trailing_slash = "addTrailingSlash";
/// `"auto"`, 3 or 4; default: `"auto"`. The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for
/// 3.x and 4.x. `auto` finds it out.
inline constexpr std::string_view protocol = "protocol";
/// list; default: `["websocket", "polling"]`. The transports, in the order in which they are tried.
inline constexpr std::string_view transports = "transports";
/// boolean; default: true. Tries the next transport where one does not get through. (The JavaScript
/// client: false.)
inline constexpr std::string_view try_all_transports = "tryAllTransports";
/// boolean; default: true. Upgrades a long-polling connection to WebSocket, where `transports` has
/// it and the server offers it.
inline constexpr std::string_view upgrade = "upgrade";
/// boolean; default: false. After an upgrade the next connection starts with WebSocket.
inline constexpr std::string_view remember_upgrade = "rememberUpgrade";
/// milliseconds; default: none. For each HTTP request of long-polling.
inline constexpr std::string_view request_timeout = "requestTimeout";
/// boolean; default: false. Shares one connection with other clients of this process that ask for
/// it too: other namespaces, the same query and the same options about the connection. (The
/// JavaScript client: true. Here a client whose queue is full would stop the others, so it has to
/// be asked for.) Not with `parser: "msgpack"`.
inline constexpr std::string_view multiplex = "multiplex";
/// boolean; default: false. A connection of its own all the same.
inline constexpr std::string_view force_new = "forceNew";
/// boolean; default: true. Connects by itself; else with `Client::open`.
inline constexpr std::string_view auto_connect = "autoConnect";
/// milliseconds; default: 20000. For a whole connection attempt: lookup, TCP, proxy, TLS, upgrade,
/// open packet, CONNECT.
inline constexpr std::string_view timeout = "timeout";
/// boolean; default: true. Connects again after a loss or a failed attempt.
inline constexpr std::string_view reconnection = "reconnection";
/// number or null; default: without end. So many attempts, then `reconnect_failed`; 0 is none (the
/// JavaScript client reads it as without end).
inline constexpr std::string_view reconnection_attempts = "reconnectionAttempts";
/// milliseconds; default: 1000. Before the first attempt; it doubles each time.
inline constexpr std::string_view reconnection_delay = "reconnectionDelay";
/// milliseconds; default: 5000. The longest delay.
inline constexpr std::string_view reconnection_delay_max = "reconnectionDelayMax";
/// 0 to 1; default: 0.5. Spreads the delays, so that the clients of a restarted server do not come
/// all at once.
inline constexpr std::string_view randomization_factor = "randomizationFactor";
/// milliseconds; default: none. For calls with an acknowledgement that name no timeout.
inline constexpr std::string_view ack_timeout = "ackTimeout";
/// boolean; default: long-polling only. Adds a parameter that makes every URL another.
inline constexpr std::string_view timestamp_requests = "timestampRequests";
/// number; default: 0. Beyond 0, what is emitted (not volatile) goes out one at a time, each when
/// the one before it was acknowledged, and again after `ackTimeout` (which it needs) or a lost
/// connection, so many times; with acknowledgement or not. The server may see one twice.
inline constexpr std::string_view retries = "retries";
/// string; default: `t`. The name of that parameter.
inline constexpr std::string_view timestamp_param = "timestampParam";
/// `"wire"` or `"constant"`; default: `"wire"`. `constant`: IM events go out by their constants
/// (`CHAT_TO`), for a server that was built on those.
inline constexpr std::string_view event_names = "eventNames";
/// boolean; default: true. In `chat`, asks for offline messages and read receipts at every connect.
inline constexpr std::string_view pull_on_connect = "pullOnConnect";
/// boolean; default: true. In `chat`, sends a receipt for every message after its last callback has
/// returned.
inline constexpr std::string_view receipts = "receipts";
/// `"callback"` or `"manual"`; default: `"callback"`. `callback`: a thread of the library calls.
/// `manual`: nothing is called but from `Client::dispatch`; `Client::poll` takes events.
inline constexpr std::string_view delivery = "delivery";
/// milliseconds or null; default: 600000. For `Client::send_message` calls that name no timeout,
/// counted from the call, also while offline and across restarts with a `store`. null: never, so
/// that a message which the server drops silently holds up those behind it for ever.
inline constexpr std::string_view message_timeout = "messageTimeout";
/// 1 to 1000; default: 1. So many messages of `Client::send_message` are on their way at a time.
/// With more than one, an `im_error` 20003 can't be told to be about one of them.
inline constexpr std::string_view in_flight = "inFlight";
/// string; default: none. A file in which messages of `Client::send_message` and what was delivered
/// survive the process; made where it is missing. Each server, namespace and `userId` (which must
/// be in `query`) has its own part. Clients of one process may share a file, processes may not.
inline constexpr std::string_view store = "store";
/// boolean; default: true. In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that
/// comes again is receipted and not delivered again; of the newest 10,000. A copy for other devices
/// (`meta.sync`) of what this client's own outbox sent is one.
inline constexpr std::string_view dedupe = "dedupe";
/// bytes; default: 8388608. Bound of what waits to be sent; beyond it an emit fails with
/// `Status::queue_full`.
inline constexpr std::string_view send_queue_bytes = "sendQueueBytes";
/// bytes; default: 8388608. Bound of what waits for callbacks; beyond it reading pauses.
inline constexpr std::string_view receive_queue_bytes = "receiveQueueBytes";
/// milliseconds; default: 60000. After so long a pause the client disconnects with `receive queue
/// full`.
inline constexpr std::string_view max_pause_ms = "maxPauseMs";
/// bytes; default: 16777216. A larger message ends the connection with an error that says so.
inline constexpr std::string_view max_message_bytes = "maxMessageBytes";
/// object; default: {}. Headers of every request: strings. `Host` may be among them, `Cookie` too;
/// the upgrade's own (`Connection`, `Sec-WebSocket-...`) may not.
inline constexpr std::string_view extra_headers = "extraHeaders";
/// object; default: {}. `{"websocket": {"extraHeaders"}, "polling": {"extraHeaders"}}`: the headers
/// of one transport, in place of `extraHeaders`.
inline constexpr std::string_view transport_options = "transportOptions";
/// string or list; default: none. WebSocket subprotocols to ask for; the server has to choose one.
inline constexpr std::string_view protocols = "protocols";
/// URL, `"none"` or false; default: the environment's. `http`, `https`, `socks5` (names are looked
/// up here) or `socks5h` (by the proxy): `http://user:password@host:port`.
inline constexpr std::string_view proxy = "proxy";
/// IP address; default: the system's choice. The address of this machine that connections come
/// from.
inline constexpr std::string_view local_address = "localAddress";
/// PEM or list; default: the system's. The authorities that may sign the server's certificate, in
/// place of the system's; or that certificate itself, where it is self-signed.
inline constexpr std::string_view ca = "ca";
/// path; default: none. The same from a file, beside those in `ca`; read when the client is made.
inline constexpr std::string_view ca_file = "caFile";
/// PEM or list; default: none. The client's certificate with its chain, for servers that ask for
/// one.
inline constexpr std::string_view cert = "cert";
/// PEM; default: none. The private key of `cert` (PKCS #8, PKCS #1 or SEC 1, not encrypted).
inline constexpr std::string_view key = "key";
/// string; default: the host of `root`. The name that is sent to the server (SNI) and that its
/// certificate must have.
inline constexpr std::string_view servername = "servername";
/// string or list; default: none. `sha256/` and the base64 of the SHA-256 of a public key
/// (SubjectPublicKeyInfo): the server's must be one of them, beside being trusted.
inline constexpr std::string_view pinned_public_keys = "pinnedPublicKeys";
/// boolean; default: true. `false`: the server's certificate is **not verified** (pins still are);
/// every connection logs an error that says so.
inline constexpr std::string_view reject_unauthorized = "rejectUnauthorized";
/// `"default"` or `"msgpack"`; default: `"default"`. How packets are written. `msgpack` is for
/// servers with `socket.io-msgpack-parser` (its version 3 for Socket.IO 3 and 4, its version 2 for
/// 2.x).
inline constexpr std::string_view parser = "parser";
} // namespace options

} // namespace im

#endif
