import CImClient
import Foundation

/// What every failed call throws. `catch ImError.timeout` catches one kind of it.
///
/// A task that is canceled while it waits gets Swift's own `CancellationError` instead.
public struct ImError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public let status: Status
    /// The C ABI's number, also where `status` is `unknown`.
    public let code: Int32
    /// What was at fault, in words that name the option or argument.
    public let message: String
    /// What the server answered, where it refused (`refused`) with an answer.
    public let reply: Arguments?

    /// The name in the C header, like `IM_ERROR_TIMEOUT`.
    public var name: String { String(cString: im_status_name(code)) }

    /// Name and words.
    public var description: String { "\(name) (\(code)): \(message)" }

    init(_ status: Status, _ message: String) {
        self.init(code: status.rawValue, message: message, reply: nil)
    }

    /// A request's outcome.
    init(outcome code: Int32, reply: Arguments?) {
        self.init(code: code, message: String(cString: im_status_text(code)), reply: reply)
    }

    private init(code: Int32, message: String, reply: Arguments?) {
        (status, self.code, self.message, self.reply) = (Status(rawValue: code) ?? .unknown, code, message, reply)
    }

    /// This thread's last failure: to be read right after the call, with no suspension between.
    static func last() -> ImError {
        ImError(code: im_last_status(), message: String(cString: im_last_error()), reply: nil)
    }

    /// Throws where a call failed; gives its result otherwise.
    @discardableResult
    static func check<Number: SignedInteger>(_ result: Number) throws -> Number {
        guard result >= 0 else { throw last() }
        return result
    }
}

extension ImError: LocalizedError {
    /// For `localizedDescription`: name and words.
    public var errorDescription: String? { description }
}

extension Status {
    /// `catch ImError.timeout`: an `ImError` of this kind.
    public static func ~= (status: Status, error: any Error) -> Bool {
        (error as? ImError)?.status == status
    }
}
