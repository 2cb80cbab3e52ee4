import Foundation

/// Any JSON value, for what has no type of its own: `["type": 1, "to": "222"]` as a literal, `value["data"]["payload"]` to read.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    /// A binary attachment in its place; it has no JSON text.
    case binary(Data)
    case array([JSON])
    case object([String: JSON])

    /// Reads JSON text. Throws `ImError` (`json`) where it is none.
    public init(parsing text: String) throws {
        self = try Self.decode(JSON.self, from: text)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw ImError(.json, "JSON of another shape, or none: \(error)")
        }
    }

    /// The value as JSON text. Throws `ImError` (`json`) for what JSON has no word for: NaN, infinity, binary values.
    public func text() throws -> String {
        let encoded = try Encoded(self)
        guard encoded.attachments.isEmpty else { throw ImError(.json, "a binary value has no JSON text") }
        return encoded.json
    }

    /// What stands under a key; null where there is nothing.
    public subscript(key: String) -> JSON {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }

    /// What stands at a place of an array, from 0; null where there is nothing.
    public subscript(index: Int) -> JSON {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { .null }
    }

    /// The text of a string, else nil.
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    /// A whole number, else nil.
    public var integer: Int? { if case .integer(let number) = self { number } else { nil } }
    /// Any number, else nil.
    public var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
    /// A truth value, else nil.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The bytes of a binary attachment, else nil.
    public var binary: Data? { if case .binary(let data) = self { data } else { nil } }
    /// The elements of an array, else nil.
    public var array: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    /// The members of an object, else nil.
    public var object: [String: JSON]? { if case .object(let members) = self { members } else { nil } }
}

extension JSON: CustomStringConvertible {
    /// JSON text, with a placeholder where a binary value is.
    public var description: String { (try? Encoded(self).json) ?? "a number that is no JSON" }
}

extension JSON: Codable {
    /// Reads any value; an attachment's placeholder becomes `binary` where the decoder knows the attachments.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else if decoder.userInfo[.argument] != nil, let value = try? container.decode(Data.self) {
            self = .binary(value)
        } else if let value = try? container.decode([String: JSON].self) {
            self = .object(value)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a number beyond Double, or half a surrogate pair, is in it")
        }
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .binary(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// `nil` is null.
    public init(nilLiteral: ()) { self = .null }
    /// `true` and `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of equal keys the last counts.
    public init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { $1 }))
    }
}
