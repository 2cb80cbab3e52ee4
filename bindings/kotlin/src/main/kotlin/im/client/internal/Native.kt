package im.client.internal

/**
 * The C library, as both ways to it ([JnaNative], and [JniNative] for Android) offer it: the functions of `im_client.h` that
 * this package needs, under their names there. What is negative is a status; [lastError] has the words, on the same thread.
 *
 * Texts go in as NUL-terminated UTF-8 (see [terminated]), for JNI's own strings are in a UTF-8 of its own.
 */
internal interface Native {
    fun versionCheck(version: Int): Int

    fun versionString(): String

    fun statusName(status: Int): String

    fun statusText(status: Int): String

    fun lastError(): String

    fun lastStatus(): Int

    fun clientCount(): Long

    fun shutdown(timeoutMs: Long): Int

    /** Lines up to this level go to [LogSink.take], on a thread of the library; 0 ends that. */
    fun setLogLevel(level: Int): Int

    fun messageCreate(json: ByteArray): String?

    fun timelineId(
        from: ByteArray,
        to: ByteArray,
    ): String?

    fun messagesUnique(json: ByteArray): String?

    /** A client, or 0. */
    fun create(options: ByteArray): Long

    fun open(client: Long): Int

    fun close(client: Long): Int

    fun destroySocket(client: Long): Int

    fun destroy(client: Long): Int

    fun state(client: Long): Int

    fun socketId(client: Long): String?

    fun info(client: Long): String?

    fun setAuth(
        client: Long,
        json: ByteArray?,
    ): Int

    fun setQuery(
        client: Long,
        json: ByteArray,
    ): Int

    fun answer(
        client: Long,
        request: Long,
        json: ByteArray,
    ): Int

    /** [event] and [args] are not NUL-terminated here: they go with their lengths. */
    fun emit(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        flags: Int,
    ): Int

    /** As [emit]; gives the request's id, whose outcome [poll] tells. */
    fun emitWithAck(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        timeoutMs: Long,
    ): Long

    fun sendMessage(
        client: Long,
        message: ByteArray,
        timeoutMs: Long,
    ): Long

    fun cancel(
        client: Long,
        request: Long,
    ): Int

    fun reply(
        client: Long,
        ackId: Long,
        args: ByteArray,
        blobs: Array<ByteArray>,
    ): Int

    fun clearSendBuffer(client: Long): Long

    fun flush(
        client: Long,
        timeoutMs: Long,
    ): Int

    fun networkChanged(client: Long): Int

    fun background(client: Long): Int

    fun foreground(client: Long): Int

    /** Has the library tell of an event that comes only where it is subscribed to; poll takes it as every other. */
    fun subscribe(
        client: Long,
        event: ByteArray,
    ): Long

    fun unsubscribe(
        client: Long,
        subscription: Long,
    ): Int

    /** Waits without end for the next event, or for the next outcome of a request alone. */
    fun poll(
        client: Long,
        outcomesOnly: Boolean,
    ): Polled

    fun wake(client: Long): Int

    /** Gives an event back; [delivered] says whether somebody has seen it. */
    fun release(
        event: Long,
        delivered: Boolean,
    )
}

/** What a poll gave: an event, copied, and the library's own at [pointer] until it is released; or only a status. */
internal class Polled(
    @JvmField val status: Int,
    @JvmField val pointer: Long,
    @JvmField val kind: Int,
    @JvmField val name: ByteArray,
    @JvmField val json: ByteArray,
    /** All arguments as a JSON array; null where [json] is the only one. */
    @JvmField val args: ByteArray?,
    @JvmField val blobs: Array<ByteArray>,
    @JvmField val ackId: Long,
    @JvmField val request: Long,
    @JvmField val outcome: Int,
) {
    companion object {
        private val nothing = ByteArray(0)

        fun failed(status: Int): Polled = Polled(status, 0, 0, nothing, nothing, null, emptyArray(), 0, 0, 0)
    }
}
