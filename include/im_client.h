/* libim_client: a Socket.IO instant-messaging client.
 *
 * Made by cbindgen from src/ffi and the tables of the library (`make header`). Do not edit.
 */

/*
 * THE CONTRACT
 *
 * Threads. Every function may be called from any thread. Callbacks run on threads of the library, never on its network
 * thread: of one client in the order in which its events came, never two at a time; of different clients independently, so a
 * callback that blocks delays its own client alone (another thread is added after 50 ms), and no heartbeat. There are at most
 * 16 of these threads for all clients: while so many callbacks block, every other one waits, also those at a client's end, and
 * so does im_client_destroy. Who has more that block takes manual delivery, which uses none of them.
 *
 * Manual delivery. A client with the option "delivery": "manual" calls nothing by itself: im_client_dispatch runs its callbacks
 * on the thread that calls it, and im_client_poll takes events, one by one. What waits is taken once, by whichever of the two
 * comes first; a request's outcome too (as a call of its function by dispatch, as an event by poll), so its function may be
 * NULL where only poll is used. An event that dispatch has begun and left for the next call (max) may be taken by poll too.
 * im_client_wake_fd gives a descriptor for an event loop, so one thread can serve many clients, and no other thread ever
 * enters your code. What is called at such a client's end (requests: IM_ERROR_CANCELED, and free functions) is called on the
 * thread in im_client_destroy or im_shutdown; where that returned IM_DEFERRED, on the same thread once the code that called it
 * has returned; only im_client_destroy_async, and a callback on a thread of the library, leave it to the library's threads.
 * Threads in poll, dispatch or flush get IM_ERROR_HANDLE. A client without the option gives IM_ERROR_INVALID_ARGUMENT to
 * im_client_poll, _poll_outcome, _dispatch, _wake and _wake_fd. The log callback belongs to no client: it comes on a thread of the
 * library.
 *
 * Inside a callback every function may be called. im_client_destroy then returns IM_DEFERRED instead of waiting;
 * im_client_flush, im_client_poll, im_client_dispatch and im_shutdown return IM_ERROR_DEADLOCK. No lock of the library is held
 * while your code runs.
 *
 *   function                          any thread   inside a callback      may block
 *   im_client_destroy                 yes          yes (IM_DEFERRED)      outside: until its callbacks returned, its store is closed
 *   im_client_flush                   yes          IM_ERROR_DEADLOCK      up to its timeout
 *   im_client_poll, _poll_outcome     yes          IM_ERROR_DEADLOCK      up to its timeout
 *   im_client_dispatch                yes          IM_ERROR_DEADLOCK      up to its timeout, and as its callbacks do
 *   im_client_send_message            yes          yes                    with a store: until the message is on the disk
 *   im_client_new                     yes          yes                    until the file of caFile, or of a store, is read
 *   im_client_background, _foreground yes          yes                    with a store: until its file is closed, or opened
 *   im_shutdown                       yes          IM_ERROR_DEADLOCK      up to its timeout
 *   all others                        yes          yes                    no
 *
 * Strings are UTF-8 and NUL-terminated. What you give is copied. `char *` results are yours: im_string_free. `const char *`
 * results are the library's. An event and its strings live until its callback returns, or until im_event_release after
 * im_event_retain; one from im_client_poll until im_event_release, which may come on any thread, after the client's end too.
 *
 * Kinds. What a server sends has the kind IM_EVENT_KIND_EVENT, whatever its name: it may well send an "outbox" or an "auth".
 * The library's own events (IM_EVENT_CONNECT and the others) have IM_EVENT_KIND_LOCAL, its questions IM_EVENT_KIND_REQUEST.
 * Where it matters who says it, look at the kind.
 *
 * Errors. A call that fails changed nothing and calls nothing back; its status is negative (a handle 0, a pointer NULL), and
 * im_last_error says in words which argument or option was at fault. What the network does comes as events:
 * IM_EVENT_CONNECT_ERROR and IM_EVENT_DISCONNECT. What the server objects to comes as IM_IMERROR.
 *
 * Environment. im_client_new reads the proxy variables (http_proxy, https_proxy, all_proxy, no_proxy, in capitals too but for HTTP_PROXY; see the option proxy) and
 * the file of the option caFile; later changes of either do not reach a client. Do not change the environment (setenv) while
 * another thread is in im_client_new.
 *
 * Binary. Blob i of a call stands where its JSON arguments have {"_placeholder":true,"num":i}, and so it comes with an event:
 * im_event_blob gives the bytes. At most 10 go into one packet.
 *
 * Once. Every accepted acknowledgement function and every free function is called exactly once; an outcome that
 * im_client_poll has taken is told by its event instead. What is emitted goes out once, unless the option retries asks for more.
 *
 * Credentials. With the options askAuth and askQuery each connection attempt first asks, by IM_EVENT_AUTH or IM_EVENT_QUERY of
 * kind IM_EVENT_KIND_REQUEST, and waits within its timeout for im_client_answer. Subscribe to it, or poll; an event of
 * such a name and another kind is a server's.
 *
 * Messages. What im_client_send_message took is kept until the server has answered it, across lost connections and, with the
 * option "store", across processes: sent again with the same fp, in order, and reported once. A message that comes in again
 * (same from, to and fp) is receipted and not shown again ("dedupe"); it counts as shown once its last callback has returned.
 * The keys of shown messages come to the store within a second: a crash may have the last ones shown again, if the server
 * sends them again.
 *
 * Early events. What arrives before the first subscription of its name waits (per client the newest 64, at most 256 KiB, each
 * for 10 s), so nothing is lost between im_client_new and im_client_on.
 *
 * Bounds. What waits to be sent is bounded (sendQueueBytes): beyond it im_client_emit fails with IM_ERROR_QUEUE_FULL (one
 * packet alone may be larger); im_client_clear_send_buffer empties it. What waits for your callbacks is bounded
 * (receiveQueueBytes): beyond it reading pauses and nothing is dropped.
 *
 * Callbacks must not throw or longjmp. A fork leaves the parent's clients to the parent: in the child their handles give
 * IM_ERROR_FORKED, and new clients work; a child that was forked inside a callback must not return from it.
 *
 * Exit. A C program may exit with live clients: no callback starts any more, and running ones are waited for, at most 1 s. A
 * host language that tears itself down before the process ends (Python, a JVM) must call im_shutdown from its own exit hook,
 * for a callback into a dead interpreter is a crash.
*/

#ifndef IM_CLIENT_H
#define IM_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header; `im_version_number` gives the library's. */
#define IM_VERSION_MAJOR 0
#define IM_VERSION_MINOR 1
#define IM_VERSION_PATCH 0
#define IM_VERSION_NUMBER (IM_VERSION_MAJOR * 10000 + IM_VERSION_MINOR * 100 + IM_VERSION_PATCH)

/** Success. */
#define IM_OK 0

/** Accepted; the rest happens when the code that the library runs on this thread has returned. */
#define IM_DEFERRED 1

/** `im_client_wake` ended the call; there is no event. */
#define IM_WOKEN 2

/** An argument is NULL, out of range or reserved. */
#define IM_ERROR_INVALID_ARGUMENT (-1)

/** No such client: the handle is zero, stale or was never given. */
#define IM_ERROR_HANDLE (-2)

/** A string is not UTF-8. */
#define IM_ERROR_UTF8 (-3)

/** A string is not valid JSON, or not of the shape that is asked for. */
#define IM_ERROR_JSON (-4)

/** An option is unknown, of the wrong type or out of range. */
#define IM_ERROR_OPTION (-5)

/** Known, but not built. */
#define IM_ERROR_UNSUPPORTED (-6)

/** The send queue is full; nothing was queued. */
#define IM_ERROR_QUEUE_FULL (-7)

/** The time is over. */
#define IM_ERROR_TIMEOUT (-8)

/** Canceled by the caller, or by the end of the client. */
#define IM_ERROR_CANCELED (-9)

/** The connection was lost, so no answer can come. */
#define IM_ERROR_DISCONNECTED (-10)

/** No such subscription, request or acknowledgement, or its outcome is decided. */
#define IM_ERROR_NOT_FOUND (-11)

/** The call would wait for itself: not inside a callback. */
#define IM_ERROR_DEADLOCK (-12)

/** A defect of the library; the client was closed. */
#define IM_ERROR_PANIC (-13)

/** The handle is from before a fork; it belongs to the parent process. */
#define IM_ERROR_FORKED (-14)

/** The operating system refused something: threads, memory, descriptors, randomness, the store's file. */
#define IM_ERROR_SYSTEM (-15)

/** The server answered with a failure code. */
#define IM_ERROR_REFUSED (-16)

/** The server takes no packet of this size; it would close the connection. */
#define IM_ERROR_TOO_LARGE (-17)

/** The program was built for another version of the library. */
#define IM_ERROR_VERSION (-18)

/** A business error of the server; see IM_CODE_…. */
#define IM_IMERROR "im_error"

/** sso: the result of a QR-code login; emit "ping" to be answered with "pong". */
#define IM_SSO_QRLOGIN "qrlogin"

/** chat: send a message. */
#define IM_CHAT_TO "to"

/** chat: the server stored a message; the payload is the saved message. */
#define IM_CHAT_TO_ACK "to_ack"

/** chat: who is online, on every arrival and departure. */
#define IM_CHAT_ONLINE "c_online"

/** chat: a message for this user. */
#define IM_CHAT_MESSAGE "c_message"

/** chat: the receipt for messages; sent by the library itself. */
#define IM_CHAT_MESSAGE_ACK "c_message_ack"

/** chat: messages that came while the user was away. */
#define IM_CHAT_PULL_OFFLINE_MESSAGE "offline_message"

/** chat: a conversation's history, newest first. */
#define IM_CHAT_PULL_HISTORY_MESSAGE "history_message"

/** chat: the list of conversations. */
#define IM_CHAT_PULL_RECENT_CONVERSATION "recent_conversation"

/** chat: asks for read receipts; answered as IM_CHAT_TO_READED. */
#define IM_CHAT_PULL_READED_MESSAGE "readed_message"

/** chat: read receipts. */
#define IM_CHAT_TO_READED "to_reader"

/** chat: somebody is typing. */
#define IM_CHAT_TO_TYPING "to_typing"

/** chat: recalls a message. */
#define IM_CHAT_TO_UNDO "to_undo"

/** chat: a group was created, changed or destroyed. */
#define IM_CHAT_GROUP_NOTICE "g_notice"

/** chat: a system message. */
#define IM_CHAT_SYSTEM_NOTICE "sys_notice"

/** The connection's own: connected: {"sid", "protocol": 3 or 4, "transport", "path", "recovered"}. */
#define IM_EVENT_CONNECT "connect"

/** The connection's own: an attempt failed: {"message", "willRetry", "attempts": [{"path", "url", "transport", "step", "status"?, "message"}], "data"? (the server's refusal), "code"? (an im_error that came with it)}. */
#define IM_EVENT_CONNECT_ERROR "connect_error"

/** The connection's own: the connection goes on over another transport: {"transport"}. */
#define IM_EVENT_UPGRADE "upgrade"

/** The connection's own: the connection is gone: {"reason", "description"?, "code"?, "willReconnect"}. */
#define IM_EVENT_DISCONNECT "disconnect"

/** The connection's own: a 2.x server refused the namespace or reports an error: what it said, as JSON. */
#define IM_EVENT_ERROR "error"

/** The connection's own: an attempt after a loss or a failed attempt begins: {"attempt"}. */
#define IM_EVENT_RECONNECT_ATTEMPT "reconnect_attempt"

/** The connection's own: connected again: {"attempt"}. */
#define IM_EVENT_RECONNECT "reconnect"

/** The connection's own: that attempt failed: as connect_error, with "attempt". */
#define IM_EVENT_RECONNECT_ERROR "reconnect_error"

/** The connection's own: no attempt is left: {"attempts"}. */
#define IM_EVENT_RECONNECT_FAILED "reconnect_failed"

/** The connection's own: a heartbeat: the server's ping (3.x and later), or its answer to ours (2.x): {"latencyMs"?}. The library's own comes only where somebody subscribes to it by its name. */
#define IM_EVENT_PING "ping"

/** The connection's own: the outcome of a message that an earlier client left in the store: {"fp", "status": an im_status, "message": as it was sent, "reply"?: the argument of the to_ack or im_error}. */
#define IM_EVENT_OUTBOX "outbox"

/** The connection's own: a request (option askQuery): the query of the next connection, which waits for im_client_answer: {"attempt"}, 0 for the first. */
#define IM_EVENT_QUERY "query"

/** The connection's own: a request (option askAuth): the same for the auth: {"attempt"}. */
#define IM_EVENT_AUTH "auth"


/**
 * A business code of the server: success.
 */
#define IM_CODE_OK 0

/**
 * Failure, without a code of its own.
 */
#define IM_CODE_FAIL 1

/**
 * The session must log in again.
 */
#define IM_CODE_RELOGIN 401

/**
 * The token is invalid or expired, or a conversation is not this user's.
 */
#define IM_CODE_AUTH_FAILED 20001

/**
 * A parameter of the query or of a request is missing.
 */
#define IM_CODE_PARAMETER_ABSENT 20002

/**
 * The message could not be sent, for example to a group that does not exist.
 */
#define IM_CODE_SEND_FAILED 20003

/**
 * The same user signed in on another device of the same class; this connection is being kicked out.
 */
#define IM_CODE_OTHER_DEVICE 20004

/**
 * A message's `type`: text.
 */
#define IM_MESSAGE_TYPE_TEXT 1

/**
 * An image; the content is its URL.
 */
#define IM_MESSAGE_TYPE_IMAGE 2

/**
 * A voice message; the content is its URL.
 */
#define IM_MESSAGE_TYPE_VOICE 3

/**
 * A text that was recalled (made by the server).
 */
#define IM_MESSAGE_TYPE_RECALLED_TEXT 10

/**
 * Merged messages (made by the server).
 */
#define IM_MESSAGE_TYPE_MERGED 11

/**
 * A recalled message that was no text (made by the server).
 */
#define IM_MESSAGE_TYPE_RECALLED 21

/**
 * A message's `typeu`: one to one.
 */
#define IM_MESSAGE_DOMAIN_DIRECT 1

/**
 * To a group.
 */
#define IM_MESSAGE_DOMAIN_GROUP 2

/**
 * From the system.
 */
#define IM_MESSAGE_DOMAIN_SYSTEM 3

/**
 * A notice.
 */
#define IM_MESSAGE_DOMAIN_NOTICE 4

/**
 * An event of the server, whatever its name, or one that this client sends.
 */
#define IM_EVENT_KIND_EVENT 0

/**
 * The outcome of a request: the server's answer, or why there is none (`status`).
 */
#define IM_EVENT_KIND_ACK 1

/**
 * A question of the library, answered by `im_client_answer`.
 */
#define IM_EVENT_KIND_REQUEST 2

/**
 * An event of the connection, made by the library itself: no server can send one.
 */
#define IM_EVENT_KIND_LOCAL 3

/**
 * No connection, and none wanted.
 */
#define IM_STATE_DISCONNECTED 0

/**
 * A connection is being made.
 */
#define IM_STATE_CONNECTING 1

/**
 * The namespace is connected.
 */
#define IM_STATE_CONNECTED 2

/**
 * Waits for the next attempt.
 */
#define IM_STATE_RECONNECTING 3

/**
 * No log.
 */
#define IM_LOG_OFF 0

/**
 * Defects.
 */
#define IM_LOG_ERROR 1

/**
 * What failed.
 */
#define IM_LOG_WARN 2

/**
 * Connections made and lost.
 */
#define IM_LOG_INFO 3

/**
 * Every attempt.
 */
#define IM_LOG_DEBUG 4

/**
 * Everything.
 */
#define IM_LOG_TRACE 5

/**
 * For `im_client_emit_args`: dropped unless the client is connected and its socket takes what it is given.
 */
#define IM_EMIT_VOLATILE 1

/**
 * For `im_client_subscribe`: ends with the first event.
 */
#define IM_SUBSCRIBE_ONCE 1

/**
 * For `im_client_subscribe`: what this client sends, as `im_client_on_any_outgoing`; `event` must be NULL.
 */
#define IM_SUBSCRIBE_OUTGOING 2

/**
 * A client: a number, not a pointer. 0 is never one. A stale or foreign number gives `IM_ERROR_HANDLE`.
 */
typedef uint64_t im_client;

/**
 * The result of a call: `IM_OK` (0), an error (`IM_ERROR_…`, negative), or information (`IM_DEFERRED`, positive).
 */
typedef int32_t im_status;

/**
 * Called once when a client is gone.
 */
typedef void (*im_done_fn)(void *user_data);

/**
 * Bytes, not owned.
 */
typedef struct im_blob {
    /**
     * The first byte.
     */
    const void *data;
    /**
     * How many.
     */
    size_t len;
} im_blob;

/**
 * An event, an acknowledgement or a request; read-only, owned by the library.
 *
 * Valid until the callback that got it returns, or until `im_event_release` after `im_event_retain` or `im_client_poll`. The
 * strings belong to it. Later versions may append fields: `size` tells which are there.
 */
typedef struct im_event {
    /**
     * The size of this struct in bytes.
     */
    size_t size;
    /**
     * The client that received it.
     */
    im_client client;
    /**
     * `IM_EVENT_KIND_…`: who says it. A server may send an event by the name of one of the connection's own.
     */
    int32_t kind;
    /**
     * The event's name as it came, UTF-8, NUL-terminated; empty for an acknowledgement.
     */
    const char *name;
    /**
     * The name's length in bytes, without the NUL.
     */
    size_t name_len;
    /**
     * The first argument as JSON text, UTF-8, NUL-terminated; `"null"` where there is none.
     */
    const char *json;
    /**
     * That text's length in bytes, without the NUL.
     */
    size_t json_len;
    /**
     * Names the server's question, for `im_client_reply`; 0 where the server waits for no answer.
     */
    uint64_t ack_id;
    /**
     * Of an acknowledgement: the request that it answers.
     */
    int64_t request;
    /**
     * Of an acknowledgement: its outcome.
     */
    im_status status;
    /**
     * How many binary attachments came with it, for `im_event_blob`.
     */
    size_t blob_count;
} im_event;

/**
 * Called once with the outcome of a request, on a thread of the library (with manual delivery: in `im_client_dispatch`, or at
 * the client's end). `reply` is NULL unless the server answered.
 * Must not throw or longjmp.
 */
typedef void (*im_ack_fn)(im_status status, const struct im_event *reply, void *user_data);

/**
 * Called once when the library will not use `user_data` any more.
 */
typedef void (*im_free_fn)(void *user_data);

/**
 * Called with a line of the log, on a thread of the library.
 */
typedef void (*im_log_fn)(int32_t level, const char *line, void *user_data);

/**
 * Called with an event, on a thread of the library (with manual delivery: in `im_client_dispatch`). Must not throw or longjmp.
 */
typedef void (*im_event_fn)(const struct im_event *event, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a client from a JSON object of options (docs/reference/options.md has them; `root` and `nsp` are required) and connects it,
 * unless `"autoConnect": false`. Gives 0 on failure: see `im_last_error`.
 *
 * Any thread; also inside a callback; does not wait for the network. With the option `store` it opens and reads that file
 * (`IM_ERROR_SYSTEM`, and `im_last_error` names it, where that can't be done; such a file is never changed). The first client starts the library's threads.
 *
 * # Safety
 * `options_json` is NULL (an error) or NUL-terminated.
 */
im_client im_client_new(const char *options_json);

/**
 * Connects, if that is not so already. Never blocks.
 */
im_status im_client_open(im_client client);

/**
 * Disconnects and stays so until `im_client_open`; what is unsent and messages without an answer wait for that. Never blocks: the event `disconnect`
 * (`"io client disconnect"`) tells the end.
 */
im_status im_client_close(im_client client);

/**
 * As `im_client_close`, and drops what is unsent; requests that wait for an answer end with `IM_ERROR_CANCELED`. Messages
 * without an answer are dropped too, also from the store.
 */
im_status im_client_destroy_socket(im_client client);

/**
 * Destroys a client. When this returns `IM_OK`, no callback of it runs or starts any more, every waiting acknowledgement
 * was called once with `IM_ERROR_CANCELED`, and every free function has run. So the caller must hold no lock that one of
 * those takes, or use `im_client_destroy_async`. What is unsent is dropped: `im_client_flush` first. Messages
 * in the store stay there for the next client.
 *
 * Inside any code that the library runs (a callback, an acknowledgement, a free, log or done function) it never waits: the
 * handle is dead at once, `IM_DEFERRED` is returned, and the rest happens when that code has returned. Of two threads that
 * destroy the same client one gets `IM_ERROR_HANDLE`.
 *
 * With manual delivery this thread runs what is called at the end, threads in `im_client_poll`, `im_client_dispatch` and
 * `im_client_flush` return `IM_ERROR_HANDLE`, and a descriptor of `im_client_wake_fd` has to be out of every event loop.
 */
im_status im_client_destroy(im_client client);

/**
 * As `im_client_destroy`, but never blocks: the handle is dead at once, and `done` (may be NULL) is called on a thread of
 * the library when all the rest has happened. Where the call fails, `done` is not called.
 */
im_status im_client_destroy_async(im_client client,
                                  im_done_fn done,
                                  void *user_data);

/**
 * The client's state, `IM_STATE_…`, or a negative status.
 */
int32_t im_client_state(im_client client);

/**
 * The Socket.IO id of the current connection, to be freed with `im_string_free`. NULL while not connected
 * (`IM_ERROR_DISCONNECTED`) or on failure.
 */
char *im_client_socket_id(im_client client);

/**
 * What goes on in the client, as a JSON object to be freed with `im_string_free`: state, url (values of the query masked),
 * protocol, transport, round-trip time, counters, queues; docs/reference/info.md has every field. NULL on failure.
 */
char *im_client_info(im_client client);

/**
 * Sets the auth, a JSON object, that the next CONNECT carries (Socket.IO 3 and later read it); NULL sends none. The
 * connection that stands is not touched: `im_client_close` and `im_client_open` make a new one. What is no JSON object is
 * `IM_ERROR_JSON`. Any thread.
 *
 * # Safety
 * `auth_json` is NULL or NUL-terminated.
 */
im_status im_client_set_auth(im_client client,
                             const char *auth_json);

/**
 * Sets the query, a JSON object as in the option `query`, that the next connection's URL carries, in place of the one
 * before. What is none is `IM_ERROR_JSON`; another `userId` than a client with the option `store` was made with is
 * `IM_ERROR_OPTION`. Any thread.
 *
 * # Safety
 * `query_json` is NULL (an error) or NUL-terminated.
 */
im_status im_client_set_query(im_client client,
                              const char *query_json);

/**
 * Answers a request event (`event->kind` is `IM_EVENT_KIND_REQUEST`, `event->request` its id) with JSON: for `auth` and
 * `query` an object that holds from now on, or `null`, which leaves things as they are; anything else gives the errors of
 * `im_client_set_auth` and `im_client_set_query`, and the request still waits. The connection attempt waits for it,
 * within its `timeout`. Any thread, inside the callback or later; a second answer gives `IM_ERROR_NOT_FOUND`.
 *
 * # Safety
 * `json` is NULL (an error) or NUL-terminated.
 */
im_status im_client_answer(im_client client,
                           int64_t request,
                           const char *json);

/**
 * Sends an event with one argument, a JSON value; NULL sends none. What is emitted before the connection is up is sent
 * after it, in order, once. `IM_ERROR_QUEUE_FULL` where too much waits already.
 *
 * How much the server takes (its `maxPayload`) is known from the first connection on; a larger event is then
 * `IM_ERROR_TOO_LARGE`. One that was queued before and proves larger is dropped, which the log and the counter
 * `tooLargePackets` of `im_client_info` tell.
 *
 * Any thread; also inside a callback; never blocks.
 *
 * # Safety
 * `event` is NULL (an error) or NUL-terminated, `json` is NULL or NUL-terminated.
 */
im_status im_client_emit(im_client client,
                         const char *event,
                         const char *json);

/**
 * The general form: name and arguments with their lengths in bytes. `connect`, `connect_error`, `disconnect`, `disconnecting`,
 * `newListener` and `removeListener` are no names for events here (`IM_ERROR_INVALID_ARGUMENT`). `args` is a JSON array of all arguments (NULL with
 * length 0 for none); `flags` are `IM_EMIT_…`.
 *
 * `blobs` are binary attachments, at most 10: blob *i* stands where `args` has the object `{"_placeholder":true,"num":i}`, at
 * any depth; each has one place. Where `args` has no such object, they become further arguments, in their order. What does
 * not fit is `IM_ERROR_INVALID_ARGUMENT`, also such an object without blobs. The bytes are copied.
 *
 * Any thread; also inside a callback; never blocks.
 *
 * # Safety
 * `event` and `args` are NULL or have that many bytes; `blobs` is NULL or has `blob_count` elements with their bytes.
 */
im_status im_client_emit_args(im_client client,
                              const char *event,
                              size_t event_len,
                              const char *args,
                              size_t args_len,
                              const struct im_blob *blobs,
                              size_t blob_count,
                              uint32_t flags);

/**
 * Sends an event and asks the server to acknowledge it; gives the request's id (greater than 0) or a negative status.
 *
 * `fn` is called exactly once: with `IM_OK` and the server's answer, or with `IM_ERROR_TIMEOUT` (`timeout_ms` counts from
 * this call; 0 takes the option `ackTimeout`, and waits without end where there is none), `IM_ERROR_CANCELED`,
 * `IM_ERROR_DISCONNECTED`, or `IM_ERROR_TOO_LARGE` (it was queued before it was known that the server takes less). Where the call
 * fails, `fn` is not called. With manual delivery `fn` may be NULL: the outcome then comes with `im_client_poll` alone.
 *
 * With the option `retries`, `timeout_ms` is the time of each try and counts from when it goes out; `fn` gets the outcome of
 * the last.
 *
 * # Safety
 * As for `im_client_emit`; `fn` may be called with `user_data` once.
 */
int64_t im_client_emit_with_ack(im_client client,
                                const char *event,
                                const char *json,
                                int64_t timeout_ms,
                                im_ack_fn fn,
                                void *user_data);

/**
 * The general form of `im_client_emit_with_ack`: name, arguments, blobs and flags as for `im_client_emit_args`; `free_fn` (may be
 * NULL) is called once when the library will not use `user_data` any more, also where this call fails.
 *
 * With `IM_EMIT_VOLATILE` the call fails with `IM_ERROR_DISCONNECTED` where the event can't go out at once.
 *
 * # Safety
 * As for `im_client_emit_args`; `fn` may be called with `user_data` once.
 */
int64_t im_client_emit_args_with_ack(im_client client,
                                     const char *event,
                                     size_t event_len,
                                     const char *args,
                                     size_t args_len,
                                     const struct im_blob *blobs,
                                     size_t blob_count,
                                     uint32_t flags,
                                     int64_t timeout_ms,
                                     im_ack_fn fn,
                                     void *user_data,
                                     im_free_fn free_fn);

/**
 * Ends a request: its function is called with `IM_ERROR_CANCELED`. `IM_ERROR_NOT_FOUND` where its outcome is decided
 * already. Never blocks.
 */
im_status im_client_cancel(im_client client,
                           int64_t request);

/**
 * Answers a question of the server (an event whose `ack_id` is not 0) with one JSON value, or none (NULL); from the
 * callback or later, from any thread. A second answer gives `IM_ERROR_NOT_FOUND`, one after the connection is gone
 * `IM_ERROR_DISCONNECTED`: nothing is sent then.
 *
 * # Safety
 * `json` is NULL or NUL-terminated.
 */
im_status im_client_reply(im_client client,
                          uint64_t ack_id,
                          const char *json);

/**
 * The general form: `args` is a JSON array of the answer's arguments with its length in bytes (NULL with length 0 for none),
 * `blobs` are as for `im_client_emit_args`.
 *
 * # Safety
 * `args` is NULL or has that many bytes; `blobs` is NULL or has `blob_count` elements with their bytes.
 */
im_status im_client_reply_args(im_client client,
                               uint64_t ack_id,
                               const char *args,
                               size_t args_len,
                               const struct im_blob *blobs,
                               size_t blob_count);

/**
 * Drops all emits that have not gone out, and with the option `retries` those that are to go out again; their acknowledgement
 * functions are called with `IM_ERROR_CANCELED`. Gives how many packets it dropped, or a negative status. Answers to the
 * server and what the library sends by itself stay. Any thread; also inside a callback; never blocks.
 */
int64_t im_client_clear_send_buffer(im_client client);

/**
 * Waits until all that was emitted before was written to the socket (or was lost with its connection: an acknowledgement
 * tells what arrived); at most `timeout_ms` (0: without end), then
 * `IM_ERROR_TIMEOUT`. Inside a callback `IM_ERROR_DEADLOCK`; `IM_ERROR_HANDLE` where the client is destroyed meanwhile. With the
 * option `retries` each emit goes out only after the one before it was acknowledged or given up, so this waits for that too.
 */
im_status im_client_flush(im_client client,
                          int64_t timeout_ms);

/**
 * Keeps an event (and its strings) beyond the callback; gives the same pointer, or NULL for NULL. Any thread. Each call
 * needs its `im_event_release`.
 *
 * # Safety
 * `event` is NULL or a valid event.
 */
const struct im_event *im_event_retain(const struct im_event *event);

/**
 * Gives back an event that was kept, or that `im_client_poll` gave; NULL is allowed. Any thread. In a forked child an event
 * of the parent's is only forgotten: a polled message is the parent's to receipt.
 *
 * # Safety
 * `event` is NULL or was kept with `im_event_retain` or given by `im_client_poll`, which this call undoes.
 */
void im_event_release(const struct im_event *event);

/**
 * As `im_event_release`, for an event of `im_client_poll` that nobody has seen: it does not count as delivered, whoever else
 * still has it. So a message is not receipted, and is shown again where the server sends it again.
 *
 * # Safety
 * As for `im_event_release`.
 */
void im_event_discard(const struct im_event *event);

/**
 * As `im_client_reply`, for the question that this event is.
 *
 * # Safety
 * `event` is a valid event; `json` is NULL or NUL-terminated.
 */
im_status im_event_reply(const struct im_event *event, const char *json);

/**
 * All arguments of an event as a JSON array, NUL-terminated; built on the first call and owned by the event. NULL for NULL.
 * Any thread.
 *
 * # Safety
 * `event` is NULL or a valid event.
 */
const char *im_event_args(const struct im_event *event);

/**
 * Binary attachment `index` (from 0) of an event; its bytes are owned by the event. `IM_ERROR_NOT_FOUND` where there is none.
 *
 * # Safety
 * `event` is NULL or a valid event, `blob` is NULL or may be written to.
 */
im_status im_event_blob(const struct im_event *event,
                        size_t index,
                        struct im_blob *blob);

/**
 * The version as one number: major * 10000 + minor * 100 + patch. Compare with `IM_VERSION_NUMBER` of the header.
 *
 * Any thread; also inside a callback; never blocks.
 */
uint32_t im_version_number(void);

/**
 * The version as text, like "0.1.0". Static: never freed.
 */
const char *im_version_string(void);

/**
 * Whether this library serves a program that was built with a header of `version`, which is `IM_VERSION_NUMBER`: before 1.0
 * of the same minor version, later of the same major version and no newer than the library. Otherwise `IM_ERROR_VERSION`,
 * and `im_last_error` names both. A language's package asks before its first client.
 *
 * Any thread; also inside a callback; never blocks.
 */
im_status im_version_check(uint32_t version);

/**
 * A status's name, like "IM_ERROR_TIMEOUT"; "IM_ERROR_UNKNOWN" for a number that is none. Static: never freed.
 */
const char *im_status_name(im_status status);

/**
 * What a status means, in one sentence. Static: never freed.
 */
const char *im_status_text(im_status status);

/**
 * This thread's last failure in words that name the option or argument at fault; "" if there was none. Valid until this
 * thread's next failing call.
 */
const char *im_last_error(void);

/**
 * The status of this thread's last failure, also of a call that returned 0 or NULL; `IM_OK` if there was none.
 */
im_status im_last_status(void);

/**
 * How many clients live, those included whose destroy is still at work.
 */
size_t im_client_count(void);

/**
 * Destroys all clients and joins all threads of the library, for a host's exit hook. Waits at most `timeout_ms` and then
 * gives `IM_ERROR_TIMEOUT`; what is called at the end of clients with manual delivery is called here. Inside a callback:
 * `IM_ERROR_DEADLOCK`. New clients may be made afterwards.
 */
im_status im_shutdown(int64_t timeout_ms);

/**
 * Frees a string that the library gave (`char *`); NULL is allowed.
 *
 * # Safety
 * `string` is NULL or came from a function of this library that says so, and was not freed before.
 */
void im_string_free(char *string);

/**
 * Sets the function that gets the library's log lines up to a level (`IM_LOG_…`); NULL sets none. Replaceable at any time:
 * after a call with NULL one call of the old one that is just being made may still start, and no other; its `free_fn` comes
 * after that. Lines come on a thread of the library, through a bounded queue;
 * losses are told in a line of their own. `free_fn` (may be NULL) is called once when `user_data` is not used any more,
 * also where this call fails. Tokens, cookies and message contents never appear.
 *
 * # Safety
 * `fn` may be called with `user_data` until it is replaced and its last call has returned.
 */
im_status im_set_log_callback(int32_t level,
                              im_log_fn fn,
                              void *user_data,
                              im_free_fn free_fn);

/**
 * Makes a message from `{"type","from","to","content","typeu"?,"fp"?,"time"?}`: adds a random fingerprint `fp`, `typeu` 1
 * (one to one) and the time, where they are missing. Gives JSON to be freed with `im_string_free`; NULL on failure, and
 * `im_last_error` names the field at fault.
 *
 * # Safety
 * `json` is NULL (an error) or NUL-terminated.
 */
char *im_message_create(const char *json);

/**
 * Sends a message (completed as by `im_message_create`) and keeps it until the server has answered it; gives the request's
 * id or a negative status. Messages go out in order, one at a time unless the option `inFlight` says more, and what a lost
 * connection left unanswered goes out again on the next one, with the same `fp`. A server may store such a message twice:
 * a receiver with this library is shown it once, others may show both. So this is for servers that answer with a `to_ack`
 * that carries the `fp`; where there is none, use `im_client_emit`, which sends once. An emit made after a message may overtake
 * it. An `fp` that is on its way already is `IM_ERROR_INVALID_ARGUMENT`, also where another client of the process has it on its way
 * with the same store, server, namespace and `userId`.
 *
 * `fn` is called exactly once: `IM_OK` with the `to_ack` event once the server has stored the message;
 * `IM_ERROR_REFUSED` with the `to_ack` where its code is not 0, or with an `im_error` 20003 that came while this was the only
 * unanswered message; or with NULL: `IM_ERROR_TIMEOUT` where `timeout_ms` (0: the option `messageTimeout`), counted from this
 * call, is over; `IM_ERROR_CANCELED` by `im_client_cancel`, `im_client_destroy_socket` (which both drop the message) or the
 * end of the client; `IM_ERROR_TOO_LARGE` where it was queued before it was known that the server takes less (its `maxPayload`). A
 * message that timed out may still have been stored.
 *
 * With the option `store` the message is on the disk (fsync) when this returns, so it blocks for as long as that takes; a
 * disk that refuses gives `IM_ERROR_SYSTEM` and nothing is sent. What the end of the client, or of the process, leaves there
 * is sent by the next client with the same store, server, namespace and `userId`, which tells its outcome by the event
 * IM_EVENT_OUTBOX. The store forgets a message with its outcome: a crash right then may send it once more, or lose the report,
 * never the message.
 *
 * # Safety
 * `message_json` is NULL (an error) or NUL-terminated; `fn` may be called with `user_data` once.
 */
int64_t im_client_send_message(im_client client,
                               const char *message_json,
                               int64_t timeout_ms,
                               im_ack_fn fn,
                               void *user_data);

/**
 * The id of a conversation's direction, `from@to`, to be freed with `im_string_free`.
 *
 * # Safety
 * Both are NULL (an error) or NUL-terminated.
 */
char *im_timeline_id(const char *from, const char *to);

/**
 * Takes the later copies out of a JSON list of messages; gives the list, to be freed with `im_string_free`. Two messages
 * are copies if their `fp` is equal and neither is a recall (`type` 10 or 21).
 *
 * # Safety
 * `json` is NULL (an error) or NUL-terminated.
 */
char *im_messages_unique(const char *json);

/**
 * Tells that the device is on another network (the operating system says so): the connection is checked at once, and is lost
 * with `ping timeout` where it shows no sign of life within 3 s, instead of waiting for the heartbeat; the next attempt follows
 * at once. An attempt that waits for its delay begins at once. Nothing that is queued is lost. Any thread; never blocks.
 */
im_status im_client_network_changed(im_client client);

/**
 * Tells that the app goes to the background, where it may be frozen at any time: a connection that is lost from now on is not
 * made anew before `im_client_foreground`, and the lock of the file in the option `store` is given up, once what is being
 * written is written. Any thread; may wait for the disk where there is a store.
 */
im_status im_client_background(im_client client);

/**
 * Tells that the app is back: the connection is checked as with `im_client_network_changed`, or made anew at once. Any thread;
 * may wait for the disk where there is a store. `IM_ERROR_SYSTEM` where another process has the store's file by now: all the rest
 * was done, the library tries again every second, and messages can't be sent meanwhile.
 */
im_status im_client_foreground(im_client client);

/**
 * Takes the next event of a client with the option `"delivery": "manual"`; the event is the caller's until
 * `im_event_release`. Every event comes, subscribed to or not; the outcome of a request comes as an event of kind
 * `IM_EVENT_KIND_ACK` with `request` and `status` (and `json` `"null"` where the server gave no answer), and its function
 * is not called then. An event counts as delivered when its last reference is released: the library sends a message's
 * receipt at that moment, and not before.
 *
 * Waits `timeout_ms` for one: as poll(2) has it, 0 does not wait and a negative time is without end. `IM_ERROR_TIMEOUT`
 * where nothing came, `IM_WOKEN` where `im_client_wake` ended the wait, `IM_ERROR_HANDLE` where the client is destroyed
 * meanwhile: `*event` is NULL then. Any thread, several at a time too; inside a callback `IM_ERROR_DEADLOCK`.
 * Free functions whose time has come run here, on the caller's thread.
 *
 * # Safety
 * `event` is NULL (an error) or may be written to.
 */
im_status im_client_poll(im_client client,
                         int64_t timeout_ms,
                         const struct im_event **event);

/**
 * As `im_client_poll`, but takes nothing except the outcomes of requests, past the events that wait before them. For a
 * caller whose own queue of events is full: with it alone he learns how the requests ended that those wait for who are to
 * empty that queue, and reading pauses behind the events that he leaves here.
 *
 * # Safety
 * `event` is NULL (an error) or may be written to.
 */
im_status im_client_poll_outcome(im_client client,
                                 int64_t timeout_ms,
                                 const struct im_event **event);

/**
 * Runs callbacks of a client with the option `"delivery": "manual"` on this thread: those of the events and the outcomes
 * that wait, in their order, at most `max` (0: all that wait). Waits `timeout_ms` for the first, as `im_client_poll` does.
 * Gives how many were called, 0 where `im_client_wake` ended the call before the first; `IM_ERROR_TIMEOUT` where there was
 * none to call, `IM_ERROR_HANDLE` where the client is destroyed meanwhile, in one of its callbacks too.
 *
 * Any thread, one at a time for each client: a second one waits for its turn, as long as its timeout allows. Inside a
 * callback `IM_ERROR_DEADLOCK`. Free functions run here too and count for nothing.
 */
int32_t im_client_dispatch(im_client client,
                           int64_t timeout_ms,
                           uint32_t max);

/**
 * Ends one `im_client_poll` or `im_client_dispatch` of this client: one that waits; or else a dispatch that runs, after its
 * current callback; or else the next one, which returns at once, before what waits. Wakes that nobody has seen yet are one,
 * or one for each thread that waits. Any thread; also inside a callback; never blocks.
 */
im_status im_client_wake(im_client client);

/**
 * A descriptor for an event loop (epoll, kqueue, asyncio), made on first use and the same ever after: readable while
 * `im_client_poll` or `im_client_dispatch` has something to do, a wake included; they make it unreadable once nothing
 * waits. Level-triggered: take until `IM_ERROR_TIMEOUT`, or come back while it is readable. Never read, write or close it.
 *
 * It becomes readable when the client is destroyed, and the library closes it at the client's end: take it out of the loop
 * before `im_client_destroy` (in a callback too). After that its number may already be another file's; and epoll still
 * reports a closed file where a forked child has it too.
 *
 * -1 on failure, see `im_last_status`: `IM_ERROR_UNSUPPORTED` where the platform has none. Any thread; also inside a
 * callback; never blocks.
 */
int32_t im_client_wake_fd(im_client client);

/**
 * Subscribes to an event; gives the subscription's id (greater than 0) or a negative status.
 *
 * An IM event may be named by its wire name or its constant (`"c_message"`, `"CHAT_MESSAGE"`): either receives both, and
 * `event->name` says which came. The connection's own events are subscribed to in the same way; what a server sends by
 * such a name comes too, and `event->kind` tells them apart. Events that came before the first subscription of their name are
 * delivered first. The callback runs on a thread of the library, never two of one client at a time, in the order in which the
 * events came.
 *
 * # Safety
 * `event` is NUL-terminated; `fn` may be called with `user_data` until the subscription is off and its last call returned.
 */
int64_t im_client_on(im_client client,
                     const char *event,
                     im_event_fn fn,
                     void *user_data);

/**
 * As `im_client_on`, for one event; the subscription ends with it.
 *
 * # Safety
 * As for `im_client_on`.
 */
int64_t im_client_once(im_client client, const char *event, im_event_fn fn, void *user_data);

/**
 * As `im_client_on`, for every event, the connection's own included.
 *
 * # Safety
 * As for `im_client_on`.
 */
int64_t im_client_on_any(im_client client, im_event_fn fn, void *user_data);

/**
 * Subscribes to what this client sends: the callback gets every event that the caller emits, from now on, when it goes out
 * (with the option `retries` each time). Not told are answers to the server and what the library sends by itself.
 *
 * # Safety
 * As for `im_client_on`.
 */
int64_t im_client_on_any_outgoing(im_client client,
                                  im_event_fn fn,
                                  void *user_data);

/**
 * The general form: `event` NULL is every event, `flags` are `IM_SUBSCRIBE_…`, and `free_fn` (may be NULL) is called once
 * when the library will not use `user_data` any more, also where this call fails.
 *
 * # Safety
 * As for `im_client_on`, with `event` NULL or NUL-terminated.
 */
int64_t im_client_subscribe(im_client client,
                            const char *event,
                            uint32_t flags,
                            im_event_fn fn,
                            void *user_data,
                            im_free_fn free_fn);

/**
 * Ends a subscription. Never blocks. Inside a callback of this client no call of it starts after this returns; elsewhere one call
 * that is just being made may still start, or be running, and no other. The subscription's free function says when `user_data`
 * may go. `IM_ERROR_NOT_FOUND` if there is none of that id.
 */
im_status im_client_off(im_client client,
                        int64_t subscription);

/**
 * Ends all subscriptions of an event (of both its names), each as `im_client_off` does. `IM_ERROR_NOT_FOUND` if there is none.
 *
 * # Safety
 * `event` is NULL (an error) or NUL-terminated.
 */
im_status im_client_off_event(im_client client,
                              const char *event);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* IM_CLIENT_H */
