import CImClient
import Foundation

extension Client {
    /// Sends an event with any number of arguments: `Encodable` values, `JSON` literals, `Data` or `[UInt8]` for binary ones (`Data` at any
    /// depth). Before the connection is up it waits, in order. Throws `ImError`: `queueFull` where too much waits already, `json`
    /// for what can't be made JSON. `volatile`: dropped unless it can go out at once.
    public func emit(_ name: EventName, _ arguments: any Encodable..., volatile: Bool = false) throws {
        try emit(name, Encoded(arguments: arguments), volatile)
    }

    /// Sends an event whose one argument is JSON text already.
    public func emit(_ name: EventName, json: String) throws {
        try ImError.check(im_client_emit(handle, name.rawValue.withoutNUL("the name"), json.withoutNUL("the JSON")))
    }

    /// Sends an event and awaits the server's answer. Throws `ImError`: `timeout` (counted from now; nil: the option `ackTimeout`, or
    /// without end), `disconnected` where the connection was lost meanwhile, `canceled` at the client's end; and
    /// `CancellationError` where the task is canceled, which cancels the request.
    public func emitWithAck(
        _ name: EventName, _ arguments: any Encodable & Sendable..., timeout: Duration? = nil
    ) async throws -> Arguments {
        let encoded = try Encoded(arguments: arguments)
        return try await connection.requests.perform(on: handle) {
            try encoded.withC { args, length, blobs, count in
                try name.rawValue.withCString { text in
                    try ImError.check(
                        im_client_emit_args_with_ack(
                            handle, text, name.rawValue.utf8.count, args, length, blobs, count, 0,
                            timeout?.milliseconds ?? 0, nil, nil, nil))
                }
            }
        }
    }

    /// Sends a message, keeps it until the server has stored it, across lost connections, and gives the server's `to_ack`. Anything with
    /// the fields of a `Message` will do. Throws `ImError`: `refused` with the server's answer, `timeout` (nil: the option
    /// `messageTimeout`), `canceled`; and `CancellationError` where the task is canceled, which drops the message.
    ///
    /// With the option `store` it waits for the disk first.
    public func send(_ message: any Encodable & Sendable, timeout: Duration? = nil) async throws -> Arguments {
        let encoded = try Encoded(message)
        return try await connection.requests.perform(on: handle) {
            try ImError.check(im_client_send_message(handle, encoded.json, timeout?.milliseconds ?? 0, nil, nil))
        }
    }

    /// Drops all emits that have not gone out; gives how many.
    @discardableResult
    public func clearSendBuffer() throws -> Int {
        Int(try ImError.check(im_client_clear_send_buffer(handle)))
    }

    /// Waits until all that was emitted before was written to the socket. Throws `ImError` (`timeout`). nil: without end. A task that
    /// is canceled gets `CancellationError` at once.
    public func flush(timeout: Duration? = nil) async throws {
        let written = AsyncThrowingStream<Never, any Error> { written in
            // It blocks: no task may, and the threads of Dispatch are few.
            Thread.detachNewThread { [handle] in
                do {
                    try ImError.check(im_client_flush(handle, timeout?.milliseconds ?? 0))
                    written.finish()
                } catch {
                    written.finish(throwing: error)
                }
            }
        }
        for try await _ in written {}
        try Task.checkCancellation()
    }

    private func emit(_ name: EventName, _ encoded: Encoded, _ volatile: Bool) throws {
        try encoded.withC { args, length, blobs, count in
            try name.rawValue.withCString { text in
                _ = try ImError.check(
                    im_client_emit_args(
                        handle, text, name.rawValue.utf8.count, args, length, blobs, count,
                        volatile ? UInt32(IM_EMIT_VOLATILE) : 0))
            }
        }
    }
}

/// Standard error, a line at a time.
enum StandardError {
    static func print(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}
