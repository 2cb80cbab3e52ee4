import CImClient

/// An event of the server or of the connection, or a request of the library (`kind`). A value of its own: keep it as long as you like.
public struct Event: Sendable {
    /// The name as it came.
    public let name: EventName
    /// Who says it: the server (`event`, whatever the name), the connection itself (`local`), or the library, which asks about
    /// credentials (`request`).
    public let kind: EventKind
    /// What it carries.
    public let arguments: Arguments
    private let client: im_client
    private let ackID: UInt64
    private let request: Int64

    init(_ event: UnsafePointer<im_event>) {
        let fields = event.pointee
        name = EventName(String(bytes: fields.name, count: fields.name_len))
        kind = EventKind(rawValue: fields.kind) ?? .event
        arguments = Arguments(event)
        (client, ackID, request) = (fields.client, fields.ack_id, fields.request)
    }

    /// The first argument as JSON text; `null` where there is none.
    public var json: String { arguments.json }

    /// The first argument as a value of a type; see `Arguments.decode`.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try arguments.decode(type)
    }

    /// Whether the server waits for an answer.
    public var isQuestion: Bool { ackID != 0 }

    /// Answers the server, now or later, from anywhere. Throws `ImError`: `notFound` where it waits for none or has one,
    /// `disconnected` after its connection is gone.
    public func reply(_ values: any Encodable...) throws {
        guard isQuestion else { throw ImError(.notFound, "the server waits for no answer to \(name)") }
        let encoded = try Encoded(arguments: values)
        try encoded.withC { args, length, blobs, count in
            _ = try ImError.check(im_client_reply_args(client, ackID, args, length, blobs, count))
        }
    }

    /// Answers a request (`kind`): credentials that hold from now on, or nil for those that are there.
    public func answer(_ credentials: [String: JSON]?) throws {
        guard kind == .request else { throw ImError(.notFound, "\(name) is no request of the library") }
        let isQuery = name == .query && credentials != nil
        let answer = isQuery ? DeviceType.added(to: credentials) : credentials
        try ImError.check(im_client_answer(client, request, answer.map(JSON.object)?.text() ?? "null"))
    }
}
