/// The name of an event: one of those below, or any other as a literal (`client.events("price")`).
public struct EventName: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name on the wire.
    public let rawValue: String

    /// Any name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Any name.
    public init(_ name: String) { rawValue = name }

    /// Any name.
    public init(stringLiteral name: String) { rawValue = name }

    /// The name itself.
    public var description: String { rawValue }

    /// The name under which an IM event's constant (`CHAT_MESSAGE`) and its wire name (`c_message`) meet.
    var canonical: EventName { Self.wireNames[rawValue].map(EventName.init(_:)) ?? self }
}
