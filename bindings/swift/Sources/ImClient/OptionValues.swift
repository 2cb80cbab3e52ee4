/// Gives credentials before a connection: `attempt` is 0 for the first. nil leaves those that are there; so does an error, which
/// the client reports (`Client.init(_:onError:)`).
public typealias CredentialsProvider = @Sendable (_ attempt: Int) async throws -> [String: JSON]?

/// The Engine.IO revision.
public enum EngineRevision: Sendable {
    /// Finds it out.
    case automatic
    /// Of Socket.IO 2.x servers.
    case three
    /// Of Socket.IO 3.x and 4.x servers.
    case four
}

/// How bytes get to the server.
public enum Transport: String, Sendable {
    case websocket, polling
}

/// How IM events are named when they go out.
public enum EventNaming: String, Sendable {
    /// `to`
    case wire
    /// `CHAT_TO`
    case constant
}

/// How packets are written.
public enum Parser: String, Sendable {
    case `default`, msgpack
}

extension Options {
    /// The options as the library takes them. A client of this package is always polled.
    func json() throws -> String {
        guard raw["delivery"] == nil else {
            throw ImError(.option, "the option \"delivery\" is not free in Swift: events come as asynchronous streams")
        }
        var all = fields
        all["root"] = .string(root)
        all["nsp"] = .string(namespace)
        all["query"] = DeviceType.added(to: query).map(JSON.object)
        if authProvider != nil { all["askAuth"] = true }
        if queryProvider != nil { all["askQuery"] = true }
        all.merge(raw) { $1 }
        all["delivery"] = "manual"
        return try JSON.object(all).text()
    }
}

/// What an option's value is in JSON.
protocol OptionValue {
    var option: JSON { get }
}

extension String: OptionValue { var option: JSON { .string(self) } }
extension Bool: OptionValue { var option: JSON { .bool(self) } }
extension Int: OptionValue { var option: JSON { .integer(self) } }
extension Double: OptionValue { var option: JSON { .number(self) } }
extension Duration: OptionValue { var option: JSON { .integer(self == .zero ? 0 : Int(milliseconds)) } }
extension JSON: OptionValue { var option: JSON { self } }
extension Array: OptionValue where Element: OptionValue { var option: JSON { .array(map(\.option)) } }
extension Dictionary: OptionValue where Key == String, Value == JSON { var option: JSON { .object(self) } }
extension Transport: OptionValue { var option: JSON { .string(rawValue) } }
extension EventNaming: OptionValue { var option: JSON { .string(rawValue) } }
extension Parser: OptionValue { var option: JSON { .string(rawValue) } }
extension EngineRevision: OptionValue {
    var option: JSON {
        switch self {
        case .automatic: "auto"
        case .three: 3
        case .four: 4
        }
    }
}
