// The one list of statuses: name, value, meaning. The build script reads this file too and makes the header's macros from it.

/// `(name, value, meaning)`
pub const STATUSES: [(&str, i32, &str); 21] = [
    ("IM_OK", 0, "Success."),
    (
        "IM_DEFERRED",
        1,
        "Accepted; the rest happens when the code that the library runs on this thread has returned.",
    ),
    ("IM_WOKEN", 2, "`im_client_wake` ended the call; there is no event."),
    ("IM_ERROR_INVALID_ARGUMENT", -1, "An argument is NULL, out of range or reserved."),
    ("IM_ERROR_HANDLE", -2, "No such client: the handle is zero, stale or was never given."),
    ("IM_ERROR_UTF8", -3, "A string is not UTF-8."),
    ("IM_ERROR_JSON", -4, "A string is not valid JSON, or not of the shape that is asked for."),
    ("IM_ERROR_OPTION", -5, "An option is unknown, of the wrong type or out of range."),
    ("IM_ERROR_UNSUPPORTED", -6, "Known, but not built."),
    ("IM_ERROR_QUEUE_FULL", -7, "The send queue is full; nothing was queued."),
    ("IM_ERROR_TIMEOUT", -8, "The time is over."),
    ("IM_ERROR_CANCELED", -9, "Canceled by the caller, or by the end of the client."),
    ("IM_ERROR_DISCONNECTED", -10, "The connection was lost, so no answer can come."),
    (
        "IM_ERROR_NOT_FOUND",
        -11,
        "No such subscription, request or acknowledgement, or its outcome is decided.",
    ),
    ("IM_ERROR_DEADLOCK", -12, "The call would wait for itself: not inside a callback."),
    ("IM_ERROR_PANIC", -13, "A defect of the library; the client was closed."),
    ("IM_ERROR_FORKED", -14, "The handle is from before a fork; it belongs to the parent process."),
    (
        "IM_ERROR_SYSTEM",
        -15,
        "The operating system refused something: threads, memory, descriptors, randomness, the store's file.",
    ),
    ("IM_ERROR_REFUSED", -16, "The server answered with a failure code."),
    ("IM_ERROR_TOO_LARGE", -17, "The server takes no packet of this size; it would close the connection."),
    ("IM_ERROR_VERSION", -18, "The program was built for another version of the library."),
];
