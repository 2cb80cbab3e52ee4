package im.client

import im.client.internal.Library

/**
 * What the library refused, or how a request ended. [status] is the C library's (see [Statuses]), [statusName] its name, and
 * the message says in words which argument or option was at fault. The subclasses are what a program may want to tell apart.
 */
public open class ImException internal constructor(
    public val status: Int,
    public val statusName: String,
    message: String,
    cause: Throwable? = null,
) : RuntimeException("$message ($statusName)", cause)

/** An argument or an option is wrong; nothing was done. */
public class ImArgumentException internal constructor(
    status: Int,
    statusName: String,
    message: String,
    cause: Throwable? = null,
) : ImException(status, statusName, message, cause)

/** The client is closed. */
public class ImClosedException internal constructor(
    status: Int,
    statusName: String,
    message: String,
) : ImException(status, statusName, message)

/** No answer came in time. The server may have got the request all the same. */
public class ImTimeoutException internal constructor(
    status: Int,
    statusName: String,
    message: String,
) : ImException(status, statusName, message)

/** The request was dropped: by [ImClient.disconnect] with `dropUnsent`, by [ImClient.clearSendBuffer] or with its client. */
public class ImCanceledException internal constructor(
    status: Int,
    statusName: String,
    message: String,
) : ImException(status, statusName, message)

/** There is no connection, or it was lost before the answer came. */
public class ImDisconnectedException internal constructor(
    status: Int,
    statusName: String,
    message: String,
) : ImException(status, statusName, message)

/** Too much waits to be sent already; nothing was queued. */
public class ImQueueFullException internal constructor(
    status: Int,
    statusName: String,
    message: String,
) : ImException(status, statusName, message)

/** The server answered a message with a failure. [reply] is that answer: a `to_ack` or an `im_error`. */
public class ImRefusedException internal constructor(
    status: Int,
    statusName: String,
    message: String,
    public val reply: Event,
) : ImException(status, statusName, message)

/** The library is of another version than this package, or none was found. */
public class ImLibraryException internal constructor(
    status: Int,
    statusName: String,
    message: String,
    cause: Throwable? = null,
) : ImException(status, statusName, message, cause)

/** The exception for a status; [message] is what the library said about this very failure, or null. */
internal fun exceptionOf(
    status: Int,
    message: String? = null,
    reply: Event? = null,
): ImException {
    val name = Library.native.statusName(status)
    val text = message?.ifEmpty { null } ?: Library.native.statusText(status)
    return when (status) {
        Statuses.ERROR_INVALID_ARGUMENT, Statuses.ERROR_UTF8, Statuses.ERROR_JSON, Statuses.ERROR_OPTION,
        Statuses.ERROR_UNSUPPORTED, Statuses.ERROR_TOO_LARGE,
        -> ImArgumentException(status, name, text)

        Statuses.ERROR_HANDLE -> ImClosedException(status, name, text)

        Statuses.ERROR_TIMEOUT -> ImTimeoutException(status, name, text)

        Statuses.ERROR_CANCELED -> ImCanceledException(status, name, text)

        Statuses.ERROR_DISCONNECTED -> ImDisconnectedException(status, name, text)

        Statuses.ERROR_QUEUE_FULL -> ImQueueFullException(status, name, text)

        Statuses.ERROR_REFUSED -> reply?.let { ImRefusedException(status, name, text, it) } ?: ImException(status, name, text)

        Statuses.ERROR_VERSION -> ImLibraryException(status, name, text)

        else -> ImException(status, name, text)
    }
}

/** An argument that this package refuses before the library sees it. */
internal fun argumentException(
    message: String,
    cause: Throwable? = null,
    status: Int = Statuses.ERROR_INVALID_ARGUMENT,
): ImArgumentException = ImArgumentException(status, Library.native.statusName(status), message, cause)
