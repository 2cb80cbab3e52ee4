// Made by generate.py from bindings/abi.json. Do not edit.

/// What a server says in the `code` of an envelope.
public struct BusinessCode: RawRepresentable, Hashable, Sendable, Codable {
    /// The number itself; servers may use others than those that have a name here.
    public let rawValue: Int

    /// Makes it of its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    init(_ number: Int) { rawValue = number }

    /// A business code of the server: success.
    public static let ok = BusinessCode(0)
    /// Failure, without a code of its own.
    public static let fail = BusinessCode(1)
    /// The session must log in again.
    public static let relogin = BusinessCode(401)
    /// The token is invalid or expired, or a conversation is not this user's.
    public static let authFailed = BusinessCode(20001)
    /// A parameter of the query or of a request is missing.
    public static let parameterAbsent = BusinessCode(20002)
    /// The message could not be sent, for example to a group that does not exist.
    public static let sendFailed = BusinessCode(20003)
    /// The same user signed in on another device of the same class; this connection is being kicked out.
    public static let otherDevice = BusinessCode(20004)

    /// The constant's name in the C header, or the number.
    public var name: String { Self.names[rawValue] ?? String(rawValue) }

    private static let names: [Int: String] = [
        0: "IM_CODE_OK",
        1: "IM_CODE_FAIL",
        401: "IM_CODE_RELOGIN",
        20001: "IM_CODE_AUTH_FAILED",
        20002: "IM_CODE_PARAMETER_ABSENT",
        20003: "IM_CODE_SEND_FAILED",
        20004: "IM_CODE_OTHER_DEVICE",
    ]
}

/// What a message is: its `type`.
public struct MessageType: RawRepresentable, Hashable, Sendable, Codable {
    /// The number itself; servers may use others than those that have a name here.
    public let rawValue: Int

    /// Makes it of its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    init(_ number: Int) { rawValue = number }

    /// A message's `type`: text.
    public static let text = MessageType(1)
    /// An image; the content is its URL.
    public static let image = MessageType(2)
    /// A voice message; the content is its URL.
    public static let voice = MessageType(3)
    /// A text that was recalled (made by the server).
    public static let recalledText = MessageType(10)
    /// Merged messages (made by the server).
    public static let merged = MessageType(11)
    /// A recalled message that was no text (made by the server).
    public static let recalled = MessageType(21)

    /// The constant's name in the C header, or the number.
    public var name: String { Self.names[rawValue] ?? String(rawValue) }

    private static let names: [Int: String] = [
        1: "IM_MESSAGE_TYPE_TEXT",
        2: "IM_MESSAGE_TYPE_IMAGE",
        3: "IM_MESSAGE_TYPE_VOICE",
        10: "IM_MESSAGE_TYPE_RECALLED_TEXT",
        11: "IM_MESSAGE_TYPE_MERGED",
        21: "IM_MESSAGE_TYPE_RECALLED",
    ]
}

/// Who a message is for: its `typeu`.
public struct MessageDomain: RawRepresentable, Hashable, Sendable, Codable {
    /// The number itself; servers may use others than those that have a name here.
    public let rawValue: Int

    /// Makes it of its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    init(_ number: Int) { rawValue = number }

    /// A message's `typeu`: one to one.
    public static let direct = MessageDomain(1)
    /// To a group.
    public static let group = MessageDomain(2)
    /// From the system.
    public static let system = MessageDomain(3)
    /// A notice.
    public static let notice = MessageDomain(4)

    /// The constant's name in the C header, or the number.
    public var name: String { Self.names[rawValue] ?? String(rawValue) }

    private static let names: [Int: String] = [
        1: "IM_MESSAGE_DOMAIN_DIRECT",
        2: "IM_MESSAGE_DOMAIN_GROUP",
        3: "IM_MESSAGE_DOMAIN_SYSTEM",
        4: "IM_MESSAGE_DOMAIN_NOTICE",
    ]
}

/// What an event is.
public enum EventKind: Int32, Sendable, CaseIterable {
    /// An event of the server, whatever its name, or one that this client sends.
    case event = 0
    /// The outcome of a request: the server's answer, or why there is none (`status`).
    case ack = 1
    /// A question of the library, answered by `im_client_answer`.
    case request = 2
    /// An event of the connection, made by the library itself: no server can send one.
    case local = 3
}

/// The state of a client's connection.
public enum ConnectionState: Int32, Sendable, CaseIterable {
    /// No connection, and none wanted.
    case disconnected = 0
    /// A connection is being made.
    case connecting = 1
    /// The namespace is connected.
    case connected = 2
    /// Waits for the next attempt.
    case reconnecting = 3
}

/// How much the log tells.
public enum LogLevel: Int32, Sendable, CaseIterable {
    /// No log.
    case off = 0
    /// Defects.
    case error = 1
    /// What failed.
    case warn = 2
    /// Connections made and lost.
    case info = 3
    /// Every attempt.
    case debug = 4
    /// Everything.
    case trace = 5
}

extension Library {
    /// The version of the C header that this package was made for.
    static let headerVersion: UInt32 = 100
}
