import CImClient

/// A connection to a namespace of an IM server, that lives on by itself: it connects, and connects again.
///
/// All functions may be called from any thread, task or actor, and none but those with `async` ever waits. A failed call throws
/// `ImError` and has changed nothing; what the network does comes as events (`.connectError`, `.disconnect`), and what
/// the server objects to as `.imError`.
///
/// A client ends with `destroy()`, or when nobody has it or a stream of it any more.
public final class Client: Sendable {
    let connection: Connection
    var handle: im_client { connection.handle }

    /// Makes a client and connects it, unless the option `autoConnect` is false. Throws `ImError`: `option` for one that is
    /// unknown or of the wrong type, `version` for a library of another version.
    ///
    /// `onError` is told what handlers (`on`) and providers of credentials throw, with the event at hand; by default it is
    /// printed to standard error.
    public convenience init(_ options: Options, onError: (@Sendable (any Error, Event) -> Void)? = nil) throws {
        try self.init(options, backlog: 1 << 20, onError: onError ?? printed)
    }

    /// A client with the options that most have.
    public convenience init(root: String, namespace: String, query: [String: JSON]? = nil) throws {
        try self.init(Options(root: root, namespace: namespace, query: query))
    }

    init(_ options: Options, backlog: Int, onError: @escaping @Sendable (any Error, Event) -> Void) throws {
        connection = try Connection(options, limit: backlog, report: onError)
    }

    deinit {
        connection.destroy()
    }

    // MARK: Connection

    /// Connects, if that is not so already.
    public func open() throws {
        try ImError.check(im_client_open(handle))
    }

    /// Disconnects and stays so until `open()`; what is unsent waits for that. The event `.disconnect` tells the end.
    public func close() throws {
        try ImError.check(im_client_close(handle))
    }

    /// As `close()`, and drops what is unsent: calls that await an answer end with `ImError` (`canceled`).
    public func destroySocket() throws {
        try ImError.check(im_client_destroy_socket(handle))
    }

    /// Ends the client, from wherever: streams end, calls that wait throw `ImError` (`canceled`), later ones `handle`. Returns when
    /// the library has given everything back. What is unsent is dropped: `flush` first. A second call does nothing.
    public func destroy() async {
        await withCheckedContinuation { continuation in
            connection.destroy { continuation.resume() }
        }
    }

    /// The state of the connection.
    public var state: ConnectionState {
        get throws { ConnectionState(rawValue: try ImError.check(im_client_state(handle))) ?? .disconnected }
    }

    /// The Socket.IO id of the current connection; nil while there is none.
    public var socketID: String? {
        get throws {
            if let id = String(taking: im_client_socket_id(handle)) { return id }
            let error = ImError.last()
            guard error.status == .disconnected else { throw error }
            return nil
        }
    }

    /// What goes on in the client: state, transport, round-trip time, counters, queues; the fields of `im_client_info`.
    public var info: JSON {
        get throws {
            guard let text = String(taking: im_client_info(handle)) else { throw ImError.last() }
            return try JSON(parsing: text)
        }
    }

    // MARK: Events

    /// A stream of the events of these names (of all events where none is given), in the order in which they came. Each call gives a
    /// stream of its own. An IM event's constant and wire name (`CHAT_MESSAGE`, `c_message`) are one name.
    public func events(_ names: EventName...) -> EventStream {
        EventStream(client: self, listener: connection.listen(to: Set(names)))
    }

    /// Calls a handler for each event of a name, one after the other, on a task of its own. What it throws goes to the client's
    /// `onError`, and the next event comes. Unlike a stream it does not keep the client alive.
    @discardableResult
    public func on(_ name: EventName, _ handler: @escaping @Sendable (Event) async throws -> Void) -> Subscription {
        let listener = connection.listen(to: [name])
        connection.run(listener, handler)
        return Subscription(listener: listener)
    }

    // MARK: Credentials

    /// Sets the auth that the next CONNECT carries; nil for none. The connection that stands is not touched.
    public func setAuth(_ auth: [String: JSON]?) throws {
        try ImError.check(im_client_set_auth(handle, auth.map(JSON.object)?.text()))
    }

    /// Sets the query that the next connection's URL carries, in place of the one before.
    public func setQuery(_ query: [String: JSON]) throws {
        let query = DeviceType.added(to: query) ?? query
        try ImError.check(im_client_set_query(handle, JSON.object(query).text()))
    }

    // MARK: Mobile

    /// Tells that the device is on another network: the connection is checked at once.
    public func networkChanged() throws {
        try ImError.check(im_client_network_changed(handle))
    }

    /// Tells that the app goes to the background: a connection that is lost from now on is not made anew.
    public func enterBackground() throws {
        try ImError.check(im_client_background(handle))
    }

    /// Tells that the app is back: the connection is checked, or made anew at once.
    public func enterForeground() throws {
        try ImError.check(im_client_foreground(handle))
    }
}

private let printed: @Sendable (any Error, Event) -> Void = { error, event in
    StandardError.print("im_client: a handler of \(event.name) threw: \(error)")
}
