// Made by generate.py from bindings/abi.json. Do not edit.

package im.client

import kotlin.time.Duration

/**
 * The library's options that are plain values. What is not set has the library's default (null is a value); the library
 * checks them when the client is made. [ImOptions] has the rest.
 */
public abstract class PlainOptions internal constructor() {
    internal val values: MutableMap<String, Any?> = LinkedHashMap<String, Any?>().withDefault { null }

    /** Goes into the CONNECT packet (Socket.IO 3 and later read it). Default: none. */
    public var auth: Any? by values

    /**
     * The HTTP path of the server's endpoint. By default both are tried and the one that works is remembered. Default:
     * `/ws`, then `/socket.io`.
     */
    public var path: String? by values

    /** Asks for `{path}/`, as the official clients do. Default: true. */
    public var addTrailingSlash: Boolean? by values

    /**
     * The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for 3.x and 4.x. `auto` finds it out. Default: `"auto"`.
     */
    public var protocol: Any? by values

    /** The transports, in the order in which they are tried. Default: `["websocket", "polling"]`. */
    public var transports: List<String>? by values

    /** Tries the next transport where one does not get through. (The JavaScript client: false.) Default: true. */
    public var tryAllTransports: Boolean? by values

    /**
     * Upgrades a long-polling connection to WebSocket, where `transports` has it and the server offers it. Default: true.
     */
    public var upgrade: Boolean? by values

    /** After an upgrade the next connection starts with WebSocket. Default: false. */
    public var rememberUpgrade: Boolean? by values

    /** For each HTTP request of long-polling. Default: none. */
    public var requestTimeout: Duration? by values

    /**
     * Shares one connection with other clients of this process that ask for it too: other namespaces, the same query and
     * the same options about the connection. (The JavaScript client: true. Here a client whose queue is full would stop
     * the others, so it has to be asked for.) Not with `parser: "msgpack"`. Default: false.
     */
    public var multiplex: Boolean? by values

    /** A connection of its own all the same. Default: false. */
    public var forceNew: Boolean? by values

    /** Connects by itself; else with `im_client_open`. Default: true. */
    public var autoConnect: Boolean? by values

    /** For a whole connection attempt: lookup, TCP, proxy, TLS, upgrade, open packet, CONNECT. Default: 20000. */
    public var timeout: Duration? by values

    /** Connects again after a loss or a failed attempt. Default: true. */
    public var reconnection: Boolean? by values

    /**
     * So many attempts, then `reconnect_failed`; 0 is none (the JavaScript client reads it as without end). Default:
     * without end.
     */
    public var reconnectionAttempts: Int? by values

    /** Before the first attempt; it doubles each time. Default: 1000. */
    public var reconnectionDelay: Duration? by values

    /** The longest delay. Default: 5000. */
    public var reconnectionDelayMax: Duration? by values

    /** Spreads the delays, so that the clients of a restarted server do not come all at once. Default: 0.5. */
    public var randomizationFactor: Double? by values

    /** For calls with an acknowledgement that name no timeout. Default: none. */
    public var ackTimeout: Duration? by values

    /** Adds a parameter that makes every URL another. Default: long-polling only. */
    public var timestampRequests: Boolean? by values

    /**
     * Beyond 0, what is emitted (not volatile) goes out one at a time, each when the one before it was acknowledged, and
     * again after `ackTimeout` (which it needs) or a lost connection, so many times; with acknowledgement or not. The
     * server may see one twice. Default: 0.
     */
    public var retries: Int? by values

    /** The name of that parameter. Default: `t`. */
    public var timestampParam: String? by values

    /**
     * `constant`: IM events go out by their constants (`CHAT_TO`), for a server that was built on those. Default:
     * `"wire"`.
     */
    public var eventNames: String? by values

    /** In `chat`, asks for offline messages and read receipts at every connect. Default: true. */
    public var pullOnConnect: Boolean? by values

    /** In `chat`, sends a receipt for every message after its last callback has returned. Default: true. */
    public var receipts: Boolean? by values

    /**
     * For `im_client_send_message` calls that name no timeout, counted from the call, also while offline and across
     * restarts with a `store`. null: never, so that a message which the server drops silently holds up those behind it for
     * ever. Default: 600000.
     */
    public var messageTimeout: Duration? by values

    /**
     * So many messages of `im_client_send_message` are on their way at a time. With more than one, an `im_error` 20003
     * can't be told to be about one of them. Default: 1.
     */
    public var inFlight: Int? by values

    /**
     * A file in which messages of `im_client_send_message` and what was delivered survive the process; made where it is
     * missing. Each server, namespace and `userId` (which must be in `query`) has its own part. Clients of one process may
     * share a file, processes may not. Default: none.
     */
    public var store: String? by values

    /**
     * In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that comes again is receipted and not delivered
     * again; of the newest 10,000. A copy for other devices (`meta.sync`) of what this client's own outbox sent is one.
     * Default: true.
     */
    public var dedupe: Boolean? by values

    /** Bound of what waits to be sent; beyond it an emit fails with `IM_ERROR_QUEUE_FULL`. Default: 8388608. */
    public var sendQueueBytes: Long? by values

    /** Bound of what waits for callbacks; beyond it reading pauses. Default: 8388608. */
    public var receiveQueueBytes: Long? by values

    /** After so long a pause the client disconnects with `receive queue full`. Default: 60000. */
    public var maxPauseMs: Duration? by values

    /** A larger message ends the connection with an error that says so. Default: 16777216. */
    public var maxMessageBytes: Long? by values

    /**
     * Headers of every request: strings. `Host` may be among them, `Cookie` too; the upgrade's own (`Connection`,
     * `Sec-WebSocket-...`) may not. Default: {}.
     */
    public var extraHeaders: Any? by values

    /**
     * `{"websocket": {"extraHeaders"}, "polling": {"extraHeaders"}}`: the headers of one transport, in place of
     * `extraHeaders`. Default: {}.
     */
    public var transportOptions: Any? by values

    /** WebSocket subprotocols to ask for; the server has to choose one. Default: none. */
    public var protocols: Any? by values

    /**
     * `http`, `https`, `socks5` (names are looked up here) or `socks5h` (by the proxy): `http://user:password@host:port`.
     * Default: the environment's.
     */
    public var proxy: Any? by values

    /** The address of this machine that connections come from. Default: the system's choice. */
    public var localAddress: String? by values

    /**
     * The authorities that may sign the server's certificate, in place of the system's; or that certificate itself, where
     * it is self-signed. Default: the system's.
     */
    public var ca: Any? by values

    /** The same from a file, beside those in `ca`; read when the client is made. Default: none. */
    public var caFile: String? by values

    /** The client's certificate with its chain, for servers that ask for one. Default: none. */
    public var cert: Any? by values

    /** The private key of `cert` (PKCS #8, PKCS #1 or SEC 1, not encrypted). Default: none. */
    public var key: String? by values

    /** The name that is sent to the server (SNI) and that its certificate must have. Default: the host of `root`. */
    public var servername: String? by values

    /**
     * `sha256/` and the base64 of the SHA-256 of a public key (SubjectPublicKeyInfo): the server's must be one of them,
     * beside being trusted. Default: none.
     */
    public var pinnedPublicKeys: Any? by values

    /**
     * `false`: the server's certificate is **not verified** (pins still are); every connection logs an error that says so.
     * Default: true.
     */
    public var rejectUnauthorized: Boolean? by values

    /**
     * How packets are written. `msgpack` is for servers with `socket.io-msgpack-parser` (its version 3 for Socket.IO 3 and
     * 4, its version 2 for 2.x). Default: `"default"`.
     */
    public var parser: String? by values
}
