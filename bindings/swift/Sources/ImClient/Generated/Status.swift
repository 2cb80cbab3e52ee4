// Made by generate.py from bindings/abi.json. Do not edit.

/// The result of a call into the library; its raw value is the C ABI's `im_status`.
public enum Status: Int32, Sendable, CaseIterable {
    /// Success.
    case ok = 0
    /// Accepted; the rest happens when the code that the library runs on this thread has returned.
    case deferred = 1
    /// `im_client_wake` ended the call; there is no event.
    case woken = 2
    /// An argument is NULL, out of range or reserved.
    case invalidArgument = -1
    /// No such client: the handle is zero, stale or was never given.
    case handle = -2
    /// A string is not UTF-8.
    case utf8 = -3
    /// A string is not valid JSON, or not of the shape that is asked for.
    case json = -4
    /// An option is unknown, of the wrong type or out of range.
    case option = -5
    /// Known, but not built.
    case unsupported = -6
    /// The send queue is full; nothing was queued.
    case queueFull = -7
    /// The time is over.
    case timeout = -8
    /// Canceled by the caller, or by the end of the client.
    case canceled = -9
    /// The connection was lost, so no answer can come.
    case disconnected = -10
    /// No such subscription, request or acknowledgement, or its outcome is decided.
    case notFound = -11
    /// The call would wait for itself: not inside a callback.
    case deadlock = -12
    /// A defect of the library; the client was closed.
    case panic = -13
    /// The handle is from before a fork; it belongs to the parent process.
    case forked = -14
    /// The operating system refused something: threads, memory, descriptors, randomness, the store's file.
    case system = -15
    /// The server answered with a failure code.
    case refused = -16
    /// The server takes no packet of this size; it would close the connection.
    case tooLarge = -17
    /// The program was built for another version of the library.
    case version = -18
    /// A number that this version of the package does not know.
    case unknown = -2_147_483_648
}

extension ImError {
    /// For `catch ImError.invalidArgument`.
    public static var invalidArgument: Status { .invalidArgument }
    /// For `catch ImError.handle`.
    public static var handle: Status { .handle }
    /// For `catch ImError.utf8`.
    public static var utf8: Status { .utf8 }
    /// For `catch ImError.json`.
    public static var json: Status { .json }
    /// For `catch ImError.option`.
    public static var option: Status { .option }
    /// For `catch ImError.unsupported`.
    public static var unsupported: Status { .unsupported }
    /// For `catch ImError.queueFull`.
    public static var queueFull: Status { .queueFull }
    /// For `catch ImError.timeout`.
    public static var timeout: Status { .timeout }
    /// For `catch ImError.canceled`.
    public static var canceled: Status { .canceled }
    /// For `catch ImError.disconnected`.
    public static var disconnected: Status { .disconnected }
    /// For `catch ImError.notFound`.
    public static var notFound: Status { .notFound }
    /// For `catch ImError.deadlock`.
    public static var deadlock: Status { .deadlock }
    /// For `catch ImError.panic`.
    public static var panic: Status { .panic }
    /// For `catch ImError.forked`.
    public static var forked: Status { .forked }
    /// For `catch ImError.system`.
    public static var system: Status { .system }
    /// For `catch ImError.refused`.
    public static var refused: Status { .refused }
    /// For `catch ImError.tooLarge`.
    public static var tooLarge: Status { .tooLarge }
    /// For `catch ImError.version`.
    public static var version: Status { .version }
}
