import CImClient
import Foundation

/// Values as the library takes them: JSON text, and beside it the binary values, in whose places the text has placeholders.
struct Encoded {
    var json: String
    var attachments: [Data] = []

    /// One value.
    init(_ value: any Encodable) throws {
        let found = Attachments()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.dateEncodingStrategy = .millisecondsSince1970
        encoder.dataEncodingStrategy = .custom { data, encoder in
            try Placeholder(num: found.add(data)).encode(to: encoder)
        }
        do {
            json = String(decoding: try encoder.encode(Argument(value: value)), as: UTF8.self)
        } catch {
            throw ImError(.json, "this can't be made JSON: \(error)")
        }
        attachments = found.all
    }

    /// Arguments, as a JSON array.
    init(arguments: [any Encodable]) throws {
        try self.init(arguments.map(Argument.init))
    }

    /// Calls with the text's bytes and the attachments, as C wants them; they are valid during the call alone.
    func withC<Result>(
        _ body: (UnsafePointer<CChar>, Int, UnsafePointer<im_blob>?, Int) throws -> Result
    ) rethrows -> Result {
        // One block for all; one byte more than needed, so that it has an address.
        let block = attachments.reduce(into: [UInt8]()) { $0.append(contentsOf: $1) } + [0]
        return try block.withUnsafeBytes { bytes in
            var offset = 0
            let blobs = attachments.map { attachment in
                defer { offset += attachment.count }
                return im_blob(data: bytes.baseAddress! + offset, len: attachment.count)
            }
            return try json.withCString { text in
                try blobs.withUnsafeBufferPointer { try body(text, json.utf8.count, $0.baseAddress, $0.count) }
            }
        }
    }
}

/// Any value, encoded so that the encoder sees its real type; a top-level `[UInt8]` is meant as bytes.
private struct Argument: Encodable {
    let value: any Encodable

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        // Not `as?` alone: any empty array is an empty array of bytes.
        if type(of: value) == [UInt8].self, let bytes = value as? [UInt8] {
            try container.encode(Data(bytes))
        } else {
            try container.encode(value)
        }
    }
}

/// What stands for a binary value in the JSON text of the C ABI.
struct Placeholder: Codable {
    var placeholder = true
    var num: Int

    enum CodingKeys: String, CodingKey {
        case placeholder = "_placeholder"
        case num
    }
}

/// The binary values met while one value is encoded. An encoder runs on one thread.
private final class Attachments: @unchecked Sendable {
    private(set) var all: [Data] = []

    func add(_ data: Data) -> Int {
        all.append(data)
        return all.count - 1
    }
}
