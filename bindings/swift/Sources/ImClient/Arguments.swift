import CImClient
import Foundation

/// What an event or an answer carries: arguments, most often one, and the binary values in them.
public struct Arguments: Sendable {
    /// The first argument as JSON text; `null` where there is none.
    public let json: String
    /// All arguments as the text of a JSON array.
    public let allJSON: String
    /// The binary values that came along; in the JSON a placeholder has the place of each.
    public let attachments: [Data]

    /// Copies them out of an event.
    init(_ event: UnsafePointer<im_event>) {
        json = String(bytes: event.pointee.json, count: event.pointee.json_len)
        allJSON = im_event_args(event).map { String(cString: $0) } ?? "[]"
        attachments = (0..<event.pointee.blob_count).map { index in
            var blob = im_blob()
            guard im_event_blob(event, index, &blob) == IM_OK, blob.len > 0 else { return Data() }
            return Data(bytes: blob.data, count: blob.len)
        }
    }

    /// The first argument. `Data` in it are the binary values. Throws `ImError` (`json`) where it has another shape.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try decode(type, from: json)
    }

    /// An argument by its place, from 0. Throws `ImError`: `notFound` where there is none, `json` where it has another shape.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, at index: Int) throws -> Value {
        try decode(Element<Value>.self, from: allJSON, index: index).value
    }

    /// All arguments as values.
    public var values: [JSON] {
        get throws { try decode([JSON].self, from: allJSON) }
    }

    /// The first argument as a value.
    public var value: JSON {
        get throws { try decode(JSON.self) }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, from text: String, index: Int = 0) throws -> Value {
        do {
            return try decoder(index).decode(type, from: Data(text.utf8))
        } catch let error as ImError {
            throw error
        } catch {
            throw ImError(.json, "an argument of another shape: \(error)")
        }
    }

    private func decoder(_ index: Int) -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.userInfo[.argument] = index
        decoder.dateDecodingStrategy = .millisecondsSince1970
        let attachments = attachments
        decoder.dataDecodingStrategy = .custom { decoder in
            let place = try Placeholder(from: decoder)
            guard place.placeholder, attachments.indices.contains(place.num) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "no attachment \(place.num)"))
            }
            return attachments[place.num]
        }
        return decoder
    }
}

/// One of several arguments: the one whose place the decoder's user info has.
private struct Element<Value: Decodable>: Decodable {
    let value: Value

    private struct Skipped: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    init(from decoder: any Decoder) throws {
        let index = decoder.userInfo[.argument] as? Int ?? 0
        var all = try decoder.unkeyedContainer()
        guard index >= 0, index < all.count ?? 0 else {
            throw ImError(.notFound, "no argument \(index): there are \(all.count ?? 0)")
        }
        for _ in 0..<index { _ = try all.decode(Skipped.self) }
        value = try all.decode(Value.self)
    }
}

extension CodingUserInfoKey {
    /// Set where arguments are decoded, so that a placeholder is a binary value: which argument is wanted.
    static let argument = CodingUserInfoKey(rawValue: "im_client.argument")!
}

extension String {
    /// UTF-8 of the library's.
    init(bytes: UnsafePointer<CChar>?, count: Int) {
        self = UnsafeRawBufferPointer(start: bytes, count: count).withMemoryRebound(to: UInt8.self) {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// For C, where a text ends with a NUL. Throws `ImError` (`invalidArgument`) where there is one inside, rather than cut it off.
    func withoutNUL(_ what: String) throws -> String {
        guard !utf8.contains(0) else { throw ImError(.invalidArgument, "\(what) has a NUL") }
        return self
    }

    /// Takes over a string that the library gave; nil for NULL.
    init?(taking text: UnsafeMutablePointer<CChar>?) {
        guard let text else { return nil }
        self.init(cString: text)
        im_string_free(text)
    }
}
