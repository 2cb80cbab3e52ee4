import CImClient

/// A message, to be sent or as it came.
public struct Message: Codable, Sendable, Hashable {
    /// Text, image ...
    public var type: MessageType
    /// Who sends it: a user's id.
    public var from: String
    /// Who it is for: a user's id, or a group's where `typeu` is `group`.
    public var to: String
    /// The text; of an image or a voice message its URL.
    public var content: String
    /// One to one, group ...; nil where it was not told, which is one to one.
    public var typeu: MessageDomain?
    /// The fingerprint, unique for each message; made by the library where it is nil.
    public var fp: String?
    /// When it was made, in milliseconds since 1970; set by the library where it is nil.
    public var time: Int64?
    /// The server's id of a stored message.
    public var id: JSON?
    /// The number that the server gave it.
    public var sequenceID: Int64?
    /// When the server stored it, as it tells.
    public var sendTime: JSON?
    /// The conversation's direction, `from@to`.
    public var timelineID: String?

    /// A message to be sent.
    public init(
        from: String, to: String, content: String, type: MessageType = .text, typeu: MessageDomain = .direct
    ) {
        (self.from, self.to, self.content, self.type, self.typeu) = (from, to, content, type, typeu)
    }

    enum CodingKeys: String, CodingKey {
        case type, from, to, content, typeu, fp, time
        case id = "_id"
        case sequenceID = "sequenceId"
        case sendTime = "send_time"
        case timelineID = "timelineId"
    }

    /// The message with fingerprint and time, as `Client.send` would complete it: to know its `fp` before.
    public func completed() throws -> Message {
        guard let text = String(taking: im_message_create(try Encoded(self).json)) else { throw ImError.last() }
        return try JSON.decode(Message.self, from: text)
    }

    /// The id of a conversation's direction, `from@to`.
    public static func timelineID(from: String, to: String) throws -> String {
        let (from, to) = (try from.withoutNUL("from"), try to.withoutNUL("to"))
        guard let id = String(taking: im_timeline_id(from, to)) else { throw ImError.last() }
        return id
    }

    /// A list without its later copies: messages with the same `fp`, recalls apart.
    public static func unique(_ messages: [Message]) throws -> [Message] {
        guard let text = String(taking: im_messages_unique(try Encoded(messages).json)) else { throw ImError.last() }
        return try JSON.decode([Message].self, from: text)
    }
}

/// What an IM server wraps everything in that it sends.
public struct Envelope<Payload: Decodable & Sendable>: Decodable, Sendable {
    /// Success or what else the server says.
    public let code: BusinessCode
    /// The server's words, if any.
    public let message: String?
    /// Whether this is the copy of what another device of the user's sent.
    public let isCopy: Bool
    /// What it carries; nil where the server sends null or nothing.
    public let payload: Payload?

    private enum Keys: String, CodingKey { case meta, code, data }
    private enum Meta: String, CodingKey { case msg, sync }
    private enum Content: String, CodingKey { case payload }

    /// Reads it. The payload of a failure is not looked at.
    public init(from decoder: any Decoder) throws {
        let whole = try decoder.container(keyedBy: Keys.self)
        code = try whole.decode(BusinessCode.self, forKey: .code)
        let meta = try? whole.nestedContainer(keyedBy: Meta.self, forKey: .meta)
        message = try meta?.decodeIfPresent(String.self, forKey: .msg)
        isCopy = try meta?.decodeIfPresent(Bool.self, forKey: .sync) ?? false
        guard code == .ok else {
            payload = nil
            return
        }
        let data = try? whole.nestedContainer(keyedBy: Content.self, forKey: .data)
        payload = try data?.decodeIfPresent(Payload.self, forKey: .payload)
    }
}

extension Event {
    /// The envelope of an IM event.
    public func envelope<Payload>(_ type: Payload.Type = Payload.self) throws -> Envelope<Payload> {
        try decode(Envelope<Payload>.self)
    }
}

extension Arguments {
    /// The envelope of an answer.
    public func envelope<Payload>(_ type: Payload.Type = Payload.self) throws -> Envelope<Payload> {
        try decode(Envelope<Payload>.self)
    }
}
