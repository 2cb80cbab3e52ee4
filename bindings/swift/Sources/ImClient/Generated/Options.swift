// Made by generate.py from bindings/abi.json. Do not edit.

/// What a client is made with: `root` and `namespace`, and any option of the library. What is nil is left to the library's default.
public struct Options: Sendable {
    /// The server: scheme (`http`, `https`, `ws`, `wss`), host and port; no path.
    public var root: String
    /// The namespace: `chat`, `sso`, `/` or any other, with or without its slash.
    public var namespace: String
    /// Options by their names in the C ABI, for what has no property here (`raw["messageTimeout"] = .null` is its `null`). They win.
    public var raw: [String: JSON] = [:]
    /// Gives the auth before each connection (sets `askAuth`); nil leaves it as it is. Runs on a task of its own.
    public var authProvider: CredentialsProvider?
    /// The same for the query (sets `askQuery`).
    public var queryProvider: CredentialsProvider?

    /// Goes into the URL: `token`, `userId`, `device_id`, `deviceType` ...; values are strings, numbers or booleans. In
    /// `chat`, `deviceType` is `desktop` unless it is given. Default: {}.
    public var query: [String: JSON]?
    /// Goes into the CONNECT packet (Socket.IO 3 and later read it). Default: none.
    public var auth: [String: JSON]?
    /// Asks for the auth before each connection: a request event `auth` that `im_client_answer` answers. Default:
    /// false.
    public var askAuth: Bool?
    /// The same for the query, by a request event `query`. Default: false.
    public var askQuery: Bool?
    /// The HTTP path of the server's endpoint. By default both are tried and the one that works is remembered. Default:
    /// `/ws`, then `/socket.io`.
    public var path: String?
    /// Asks for `{path}/`, as the official clients do. Default: true.
    public var addTrailingSlash: Bool?
    /// The Engine.IO revision: 3 for Socket.IO 2.x servers, 4 for 3.x and 4.x. `auto` finds it out. Default: `"auto"`.
    public var `protocol`: EngineRevision?
    /// The transports, in the order in which they are tried. Default: `["websocket", "polling"]`.
    public var transports: [Transport]?
    /// Tries the next transport where one does not get through. (The JavaScript client: false.) Default: true.
    public var tryAllTransports: Bool?
    /// Upgrades a long-polling connection to WebSocket, where `transports` has it and the server offers it. Default:
    /// true.
    public var upgrade: Bool?
    /// After an upgrade the next connection starts with WebSocket. Default: false.
    public var rememberUpgrade: Bool?
    /// For each HTTP request of long-polling. Default: none.
    public var requestTimeout: Duration?
    /// Shares one connection with other clients of this process that ask for it too: other namespaces, the same query
    /// and the same options about the connection. (The JavaScript client: true. Here a client whose queue is full would
    /// stop the others, so it has to be asked for.) Not with `parser: "msgpack"`. Default: false.
    public var multiplex: Bool?
    /// A connection of its own all the same. Default: false.
    public var forceNew: Bool?
    /// Connects by itself; else with `im_client_open`. Default: true.
    public var autoConnect: Bool?
    /// For a whole connection attempt: lookup, TCP, proxy, TLS, upgrade, open packet, CONNECT. Default: 20000.
    public var timeout: Duration?
    /// Connects again after a loss or a failed attempt. Default: true.
    public var reconnection: Bool?
    /// So many attempts, then `reconnect_failed`; 0 is none (the JavaScript client reads it as without end). Default:
    /// without end.
    public var reconnectionAttempts: Int?
    /// Before the first attempt; it doubles each time. Default: 1000.
    public var reconnectionDelay: Duration?
    /// The longest delay. Default: 5000.
    public var reconnectionDelayMax: Duration?
    /// Spreads the delays, so that the clients of a restarted server do not come all at once. Default: 0.5.
    public var randomizationFactor: Double?
    /// For calls with an acknowledgement that name no timeout. Default: none.
    public var ackTimeout: Duration?
    /// Adds a parameter that makes every URL another. Default: long-polling only.
    public var timestampRequests: Bool?
    /// Beyond 0, what is emitted (not volatile) goes out one at a time, each when the one before it was acknowledged,
    /// and again after `ackTimeout` (which it needs) or a lost connection, so many times; with acknowledgement or not.
    /// The server may see one twice. Default: 0.
    public var retries: Int?
    /// The name of that parameter. Default: `t`.
    public var timestampParam: String?
    /// `constant`: IM events go out by their constants (`CHAT_TO`), for a server that was built on those. Default:
    /// `"wire"`.
    public var eventNames: EventNaming?
    /// In `chat`, asks for offline messages and read receipts at every connect. Default: true.
    public var pullOnConnect: Bool?
    /// In `chat`, sends a receipt for every message after its last callback has returned. Default: true.
    public var receipts: Bool?
    /// For `im_client_send_message` calls that name no timeout, counted from the call, also while offline and across
    /// restarts with a `store`. null: never, so that a message which the server drops silently holds up those behind it
    /// for ever. Default: 600000.
    public var messageTimeout: Duration?
    /// So many messages of `im_client_send_message` are on their way at a time. With more than one, an `im_error` 20003
    /// can't be told to be about one of them. Default: 1.
    public var inFlight: Int?
    /// A file in which messages of `im_client_send_message` and what was delivered survive the process; made where it
    /// is missing. Each server, namespace and `userId` (which must be in `query`) has its own part. Clients of one
    /// process may share a file, processes may not. Default: none.
    public var store: String?
    /// In `chat`, a message (`type` 1 to 3, by `from`, `to` and `fp`) that comes again is receipted and not delivered
    /// again; of the newest 10,000. A copy for other devices (`meta.sync`) of what this client's own outbox sent is
    /// one. Default: true.
    public var dedupe: Bool?
    /// Bound of what waits to be sent; beyond it an emit fails with `IM_ERROR_QUEUE_FULL`. Default: 8388608.
    public var sendQueueBytes: Int?
    /// Bound of what waits for callbacks; beyond it reading pauses. Default: 8388608.
    public var receiveQueueBytes: Int?
    /// After so long a pause the client disconnects with `receive queue full`. Default: 60000.
    public var maxPauseMs: Duration?
    /// A larger message ends the connection with an error that says so. Default: 16777216.
    public var maxMessageBytes: Int?
    /// Headers of every request: strings. `Host` may be among them, `Cookie` too; the upgrade's own (`Connection`,
    /// `Sec-WebSocket-...`) may not. Default: {}.
    public var extraHeaders: [String: JSON]?
    /// `{"websocket": {"extraHeaders"}, "polling": {"extraHeaders"}}`: the headers of one transport, in place of
    /// `extraHeaders`. Default: {}.
    public var transportOptions: [String: JSON]?
    /// WebSocket subprotocols to ask for; the server has to choose one. Default: none.
    public var protocols: [String]?
    /// `http`, `https`, `socks5` (names are looked up here) or `socks5h` (by the proxy):
    /// `http://user:password@host:port`. Default: the environment's.
    public var proxy: String?
    /// The address of this machine that connections come from. Default: the system's choice.
    public var localAddress: String?
    /// The authorities that may sign the server's certificate, in place of the system's; or that certificate itself,
    /// where it is self-signed. Default: the system's.
    public var ca: [String]?
    /// The same from a file, beside those in `ca`; read when the client is made. Default: none.
    public var caFile: String?
    /// The client's certificate with its chain, for servers that ask for one. Default: none.
    public var cert: [String]?
    /// The private key of `cert` (PKCS #8, PKCS #1 or SEC 1, not encrypted). Default: none.
    public var key: String?
    /// The name that is sent to the server (SNI) and that its certificate must have. Default: the host of `root`.
    public var servername: String?
    /// `sha256/` and the base64 of the SHA-256 of a public key (SubjectPublicKeyInfo): the server's must be one of
    /// them, beside being trusted. Default: none.
    public var pinnedPublicKeys: [String]?
    /// `false`: the server's certificate is **not verified** (pins still are); every connection logs an error that says
    /// so. Default: true.
    public var rejectUnauthorized: Bool?
    /// How packets are written. `msgpack` is for servers with `socket.io-msgpack-parser` (its version 3 for Socket.IO 3
    /// and 4, its version 2 for 2.x). Default: `"default"`.
    public var parser: Parser?

    /// Options for a namespace of a server.
    public init(root: String, namespace: String, query: [String: JSON]? = nil) {
        self.root = root
        self.namespace = namespace
        self.query = query
    }

    /// The options with a property of their own that were set.
    var fields: [String: JSON] {
        var known: [String: JSON] = [:]
        known["query"] = query?.option
        known["auth"] = auth?.option
        known["askAuth"] = askAuth?.option
        known["askQuery"] = askQuery?.option
        known["path"] = path?.option
        known["addTrailingSlash"] = addTrailingSlash?.option
        known["protocol"] = `protocol`?.option
        known["transports"] = transports?.option
        known["tryAllTransports"] = tryAllTransports?.option
        known["upgrade"] = upgrade?.option
        known["rememberUpgrade"] = rememberUpgrade?.option
        known["requestTimeout"] = requestTimeout?.option
        known["multiplex"] = multiplex?.option
        known["forceNew"] = forceNew?.option
        known["autoConnect"] = autoConnect?.option
        known["timeout"] = timeout?.option
        known["reconnection"] = reconnection?.option
        known["reconnectionAttempts"] = reconnectionAttempts?.option
        known["reconnectionDelay"] = reconnectionDelay?.option
        known["reconnectionDelayMax"] = reconnectionDelayMax?.option
        known["randomizationFactor"] = randomizationFactor?.option
        known["ackTimeout"] = ackTimeout?.option
        known["timestampRequests"] = timestampRequests?.option
        known["retries"] = retries?.option
        known["timestampParam"] = timestampParam?.option
        known["eventNames"] = eventNames?.option
        known["pullOnConnect"] = pullOnConnect?.option
        known["receipts"] = receipts?.option
        known["messageTimeout"] = messageTimeout?.option
        known["inFlight"] = inFlight?.option
        known["store"] = store?.option
        known["dedupe"] = dedupe?.option
        known["sendQueueBytes"] = sendQueueBytes?.option
        known["receiveQueueBytes"] = receiveQueueBytes?.option
        known["maxPauseMs"] = maxPauseMs?.option
        known["maxMessageBytes"] = maxMessageBytes?.option
        known["extraHeaders"] = extraHeaders?.option
        known["transportOptions"] = transportOptions?.option
        known["protocols"] = protocols?.option
        known["proxy"] = proxy?.option
        known["localAddress"] = localAddress?.option
        known["ca"] = ca?.option
        known["caFile"] = caFile?.option
        known["cert"] = cert?.option
        known["key"] = key?.option
        known["servername"] = servername?.option
        known["pinnedPublicKeys"] = pinnedPublicKeys?.option
        known["rejectUnauthorized"] = rejectUnauthorized?.option
        known["parser"] = parser?.option
        return known
    }
}
