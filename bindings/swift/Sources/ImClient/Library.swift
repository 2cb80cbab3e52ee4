import CImClient
import Foundation

/// The library itself, apart from any client.
public enum Library {
    /// The version of the library that was found, like `0.1.0`.
    public static var version: String { String(cString: im_version_string()) }

    /// How many clients live, those included whose end is still at work.
    public static var clientCount: Int { im_client_count() }

    /// Destroys all clients and ends all threads of the library. Blocks, at most for this time; then throws `ImError`
    /// (`timeout`). A program that ends needs it not.
    public static func shutdown(timeout: Duration = .seconds(5)) throws {
        try ImError.check(im_shutdown(timeout.milliseconds))
    }

    /// Gets the library's log, up to a level; `off` ends that. Lines come on a thread of the library. Tokens, cookies and
    /// contents of messages are never among them.
    public static func log(_ level: LogLevel, to handler: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in })
        throws
    {
        guard level != .off else {
            try ImError.check(im_set_log_callback(IM_LOG_OFF, nil, nil, nil))
            return
        }
        let reader = Unmanaged.passRetained(LogReader(handler)).toOpaque()
        let line: im_log_fn = { level, line, reader in
            guard let line, let reader else { return }
            Unmanaged<LogReader>.fromOpaque(reader).takeUnretainedValue()
                .handler(LogLevel(rawValue: level) ?? .error, String(cString: line))
        }
        // It is called once, also where the call fails.
        let free: im_free_fn = { reader in
            reader.map { Unmanaged<LogReader>.fromOpaque($0).release() }
        }
        try ImError.check(im_set_log_callback(level.rawValue, line, reader, free))
    }

    /// Throws `ImError` (`version`) where the library that was found does not serve a package made for a version.
    static func check(madeFor version: UInt32 = headerVersion) throws {
        try ImError.check(im_version_check(version))
    }
}

private final class LogReader: Sendable {
    let handler: @Sendable (LogLevel, String) -> Void

    init(_ handler: @escaping @Sendable (LogLevel, String) -> Void) {
        self.handler = handler
    }
}

extension Duration {
    /// For the library, where 0 has another meaning: what is shorter than a millisecond is one, of either sign.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let sign: Int64 = self < .zero ? -1 : 1
        let whole = seconds.multipliedReportingOverflow(by: 1000)
        let sum = whole.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        guard !whole.overflow, !sum.overflow else { return sign * .max }
        return sum.partialValue == 0 ? sign : sum.partialValue
    }
}
