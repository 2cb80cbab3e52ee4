"""The options of a client, as keyword arguments.

Made by generate.py from bindings/abi.json. Do not edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict


class Options(TypedDict, total=False):
    """What Client and AsyncClient take beside `root` and `nsp`."""

    #: Goes into the URL: `token`, `userId`, `device_id`, `deviceType` ...; values are strings, numbers or booleans. In
    #: `chat`, `deviceType` is `desktop` unless it is given. Default: {}.
    query: Mapping[str, Any]
    #: Goes into the CONNECT packet (Socket.IO 3 and later read it). Default: none.
    auth: Mapping[str, Any]
    #: Asks for the auth before each connection: a request event `auth` that a handler's return value, or the function
    #: given here, answers. Default: false.
    ask_auth: bool | Callable[[int], Any]
    #: The same for the query, by a request event `query`. Default: false.
    ask_query: bool | Callable[[int], Any]
    #: The HTTP path of the server's endpoint. By default both are tried and the one that works is remembered. Default:
    #: `/ws`, then `/socket.io`.
    path: str
    #: Asks for `{path}/`, as the official clients do. Default: true.
    add_trailing_slash: bool
    #: The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for 3.x and 4.x. `auto` finds it out. Default: `"auto"`.
    protocol: Literal["auto", 3, 4]
    #: The transports, in the order in which they are tried. Default: `["websocket", "polling"]`.
    transports: Sequence[str]
    #: Tries the next transport where one does not get through. (The JavaScript client: false.) Default: true.
    try_all_transports: bool
    #: Upgrades a long-polling connection to WebSocket, where `transports` has it and the server offers it. Default:
    #: true.
    upgrade: bool
    #: After an upgrade the next connection starts with WebSocket. Default: false.
    remember_upgrade: bool
    #: For each HTTP request of long-polling. In seconds. Default: none.
    request_timeout: float
    #: Shares one connection with other clients of this process that ask for it too: other namespaces, the same query
    #: and the same options about the connection. (The JavaScript client: true. Here a client whose queue is full would
    #: stop the others, so it has to be asked for.) Not with `parser: "msgpack"`. Default: false.
    multiplex: bool
    #: A connection of its own all the same. Default: false.
    force_new: bool
    #: Connects by itself; else with `im_client_open`. Default: true.
    auto_connect: bool
    #: For a whole connection attempt: lookup, TCP, proxy, TLS, upgrade, open packet, CONNECT. In seconds. Default: 20.
    timeout: float
    #: Connects again after a loss or a failed attempt. Default: true.
    reconnection: bool
    #: So many attempts, then `reconnect_failed`; 0 is none (the JavaScript client reads it as without end). Default:
    #: without end.
    reconnection_attempts: int | None
    #: Before the first attempt; it doubles each time. In seconds. Default: 1.
    reconnection_delay: float
    #: The longest delay. In seconds. Default: 5.
    reconnection_delay_max: float
    #: Spreads the delays, so that the clients of a restarted server do not come all at once. Default: 0.5.
    randomization_factor: float
    #: For calls with an acknowledgement that name no timeout. In seconds. Default: none.
    ack_timeout: float
    #: Adds a parameter that makes every URL another. Default: long-polling only.
    timestamp_requests: bool
    #: Beyond 0, what is emitted (not volatile) goes out one at a time, each when the one before it was acknowledged,
    #: and again after `ackTimeout` (which it needs) or a lost connection, so many times; with acknowledgement or not.
    #: The server may see one twice. Default: 0.
    retries: int
    #: The name of that parameter. Default: `t`.
    timestamp_param: str
    #: `constant`: IM events go out by their constants (`CHAT_TO`), for a server that was built on those. Default:
    #: `"wire"`.
    event_names: Literal["wire", "constant"]
    #: In `chat`, asks for offline messages and read receipts at every connect. Default: true.
    pull_on_connect: bool
    #: In `chat`, sends a receipt for every message after its last callback has returned. Default: true.
    receipts: bool
    #: For `im_client_send_message` calls that name no timeout, counted from the call, also while offline and across
    #: restarts with a `store`. null: never, so that a message which the server drops silently holds up those behind it
    #: for ever. In seconds. Default: 600.
    message_timeout: float | None
    #: So many messages of `im_client_send_message` are on their way at a time. With more than one, an `im_error` 20003
    #: can't be told to be about one of them. Default: 1.
    in_flight: int
    #: A file in which messages of `im_client_send_message` and what was delivered survive the process; made where it is
    #: missing. Each server, namespace and `userId` (which must be in `query`) has its own part. Clients of one process
    #: may share a file, processes may not. Default: none.
    store: str
    #: In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that comes again is receipted and not delivered
    #: again; of the newest 10,000. A copy for other devices (`meta.sync`) of what this client's own outbox sent is one.
    #: Default: true.
    dedupe: bool
    #: Bound of what waits to be sent; beyond it an emit fails with `ERROR_QUEUE_FULL`. Default: 8388608.
    send_queue_bytes: int
    #: Bound of what waits for callbacks; beyond it reading pauses. Default: 8388608.
    receive_queue_bytes: int
    #: After so long a pause the client disconnects with `receive queue full`. In seconds. Default: 60.
    max_pause: float
    #: A larger message ends the connection with an error that says so. Default: 16777216.
    max_message_bytes: int
    #: Headers of every request: strings. `Host` may be among them, `Cookie` too; the upgrade's own (`Connection`,
    #: `Sec-WebSocket-...`) may not. Default: {}.
    extra_headers: Mapping[str, Any]
    #: `{"websocket": {"extraHeaders"}, "polling": {"extraHeaders"}}`: the headers of one transport, in place of
    #: `extraHeaders`. Default: {}.
    transport_options: Mapping[str, Any]
    #: WebSocket subprotocols to ask for; the server has to choose one. Default: none.
    protocols: str | Sequence[str]
    #: `http`, `https`, `socks5` (names are looked up here) or `socks5h` (by the proxy):
    #: `http://user:password@host:port`. Default: the environment's.
    proxy: str | Literal[False]
    #: The address of this machine that connections come from. Default: the system's choice.
    local_address: str
    #: The authorities that may sign the server's certificate, in place of the system's; or that certificate itself,
    #: where it is self-signed. Default: the system's.
    ca: str | Sequence[str]
    #: The same from a file, beside those in `ca`; read when the client is made. Default: none.
    ca_file: str
    #: The client's certificate with its chain, for servers that ask for one. Default: none.
    cert: str | Sequence[str]
    #: The private key of `cert` (PKCS #8, PKCS #1 or SEC 1, not encrypted). Default: none.
    key: str
    #: The name that is sent to the server (SNI) and that its certificate must have. Default: the host of `root`.
    servername: str
    #: `sha256/` and the base64 of the SHA-256 of a public key (SubjectPublicKeyInfo): the server's must be one of them,
    #: beside being trusted. Default: none.
    pinned_public_keys: str | Sequence[str]
    #: `false`: the server's certificate is **not verified** (pins still are); every connection logs an error that says
    #: so. Default: true.
    reject_unauthorized: bool
    #: How packets are written. `msgpack` is for servers with `socket.io-msgpack-parser` (its version 3 for Socket.IO 3
    #: and 4, its version 2 for 2.x). Default: `"default"`.
    parser: Literal["default", "msgpack"]


#: The library's name of each option.
NAMES: Final = {
    "query": "query",
    "auth": "auth",
    "ask_auth": "askAuth",
    "ask_query": "askQuery",
    "path": "path",
    "add_trailing_slash": "addTrailingSlash",
    "protocol": "protocol",
    "transports": "transports",
    "try_all_transports": "tryAllTransports",
    "upgrade": "upgrade",
    "remember_upgrade": "rememberUpgrade",
    "request_timeout": "requestTimeout",
    "multiplex": "multiplex",
    "force_new": "forceNew",
    "auto_connect": "autoConnect",
    "timeout": "timeout",
    "reconnection": "reconnection",
    "reconnection_attempts": "reconnectionAttempts",
    "reconnection_delay": "reconnectionDelay",
    "reconnection_delay_max": "reconnectionDelayMax",
    "randomization_factor": "randomizationFactor",
    "ack_timeout": "ackTimeout",
    "timestamp_requests": "timestampRequests",
    "retries": "retries",
    "timestamp_param": "timestampParam",
    "event_names": "eventNames",
    "pull_on_connect": "pullOnConnect",
    "receipts": "receipts",
    "message_timeout": "messageTimeout",
    "in_flight": "inFlight",
    "store": "store",
    "dedupe": "dedupe",
    "send_queue_bytes": "sendQueueBytes",
    "receive_queue_bytes": "receiveQueueBytes",
    "max_pause": "maxPauseMs",
    "max_message_bytes": "maxMessageBytes",
    "extra_headers": "extraHeaders",
    "transport_options": "transportOptions",
    "protocols": "protocols",
    "proxy": "proxy",
    "local_address": "localAddress",
    "ca": "ca",
    "ca_file": "caFile",
    "cert": "cert",
    "key": "key",
    "servername": "servername",
    "pinned_public_keys": "pinnedPublicKeys",
    "reject_unauthorized": "rejectUnauthorized",
    "parser": "parser",
}

#: Those that are times: seconds here, milliseconds in the library.
TIMES: Final = frozenset(
    {
        "request_timeout",
        "timeout",
        "reconnection_delay",
        "reconnection_delay_max",
        "ack_timeout",
        "message_timeout",
        "max_pause",
    }
)
