package im.client.internal

import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Memory
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer
import im.client.Statuses
import java.io.File
import com.sun.jna.Native as Jna

/** The library by JNA: a desktop's Java machine, of 64 bits. */
internal class JnaNative private constructor(
    private val c: JnaFunctions,
) : Native {
    override fun versionCheck(version: Int): Int = c.im_version_check(version)

    override fun versionString(): String = text(c.im_version_string())

    override fun statusName(status: Int): String = text(c.im_status_name(status))

    override fun statusText(status: Int): String = text(c.im_status_text(status))

    override fun lastError(): String = text(c.im_last_error())

    override fun lastStatus(): Int = c.im_last_status()

    override fun clientCount(): Long = c.im_client_count()

    override fun shutdown(timeoutMs: Long): Int = c.im_shutdown(timeoutMs)

    override fun setLogLevel(level: Int): Int = c.im_set_log_callback(level, if (level == 0) null else LogLine, null, null)

    override fun messageCreate(json: ByteArray): String? = owned(c.im_message_create(json))

    override fun timelineId(
        from: ByteArray,
        to: ByteArray,
    ): String? = owned(c.im_timeline_id(from, to))

    override fun messagesUnique(json: ByteArray): String? = owned(c.im_messages_unique(json))

    override fun create(options: ByteArray): Long = c.im_client_new(options)

    override fun open(client: Long): Int = c.im_client_open(client)

    override fun close(client: Long): Int = c.im_client_close(client)

    override fun destroySocket(client: Long): Int = c.im_client_destroy_socket(client)

    override fun destroy(client: Long): Int = c.im_client_destroy(client)

    override fun state(client: Long): Int = c.im_client_state(client)

    override fun socketId(client: Long): String? = owned(c.im_client_socket_id(client))

    override fun info(client: Long): String? = owned(c.im_client_info(client))

    override fun setAuth(
        client: Long,
        json: ByteArray?,
    ): Int = c.im_client_set_auth(client, json)

    override fun setQuery(
        client: Long,
        json: ByteArray,
    ): Int = c.im_client_set_query(client, json)

    override fun answer(
        client: Long,
        request: Long,
        json: ByteArray,
    ): Int = c.im_client_answer(client, request, json)

    override fun emit(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        flags: Int,
    ): Int =
        inMemory(blobs) {
            c.im_client_emit_args(client, event, event.size.toLong(), args, args.size.toLong(), it, blobs.size.toLong(), flags)
        }

    override fun emitWithAck(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        timeoutMs: Long,
    ): Long =
        inMemory(blobs) {
            val (nameSize, size) = event.size.toLong() to args.size.toLong()
            val count = blobs.size.toLong()
            c.im_client_emit_args_with_ack(client, event, nameSize, args, size, it, count, 0, timeoutMs, null, null, null)
        }

    override fun sendMessage(
        client: Long,
        message: ByteArray,
        timeoutMs: Long,
    ): Long = c.im_client_send_message(client, message, timeoutMs, null, null)

    override fun cancel(
        client: Long,
        request: Long,
    ): Int = c.im_client_cancel(client, request)

    override fun reply(
        client: Long,
        ackId: Long,
        args: ByteArray,
        blobs: Array<ByteArray>,
    ): Int = inMemory(blobs) { c.im_client_reply_args(client, ackId, args, args.size.toLong(), it, blobs.size.toLong()) }

    override fun clearSendBuffer(client: Long): Long = c.im_client_clear_send_buffer(client)

    override fun flush(
        client: Long,
        timeoutMs: Long,
    ): Int = c.im_client_flush(client, timeoutMs)

    override fun networkChanged(client: Long): Int = c.im_client_network_changed(client)

    override fun background(client: Long): Int = c.im_client_background(client)

    override fun foreground(client: Long): Int = c.im_client_foreground(client)

    override fun subscribe(
        client: Long,
        event: ByteArray,
    ): Long = c.im_client_on(client, event, NeverCalled, null)

    override fun unsubscribe(
        client: Long,
        subscription: Long,
    ): Int = c.im_client_off(client, subscription)

    override fun poll(
        client: Long,
        outcomesOnly: Boolean,
    ): Polled {
        val event = LongArray(1)
        val status = if (outcomesOnly) c.im_client_poll_outcome(client, -1, event) else c.im_client_poll(client, -1, event)
        return if (status == Statuses.OK) copyOf(event[0]) else Polled.failed(status)
    }

    override fun wake(client: Long): Int = c.im_client_wake(client)

    override fun release(
        event: Long,
        delivered: Boolean,
    ) = if (delivered) c.im_event_release(event) else c.im_event_discard(event)

    /** The fields of `im_event` have these places on every machine of 64 bits. */
    private fun copyOf(address: Long): Polled {
        val event = Pointer(address)
        val jsonLength = event.getLong(48).toInt()
        val args = c.im_event_args(address)
        val argsLength = args.indexOf(0, 0).toInt()
        return Polled(
            status = Statuses.OK,
            pointer = address,
            kind = event.getInt(16),
            name = event.getPointer(24).getByteArray(0, event.getLong(32).toInt()),
            json = event.getPointer(40).getByteArray(0, jsonLength),
            args = if (argsLength == jsonLength + 2) null else args.getByteArray(0, argsLength),
            blobs = Array(event.getLong(80).toInt()) { blobOf(address, it) },
            ackId = event.getLong(56),
            request = event.getLong(64),
            outcome = event.getInt(72),
        )
    }

    private fun blobOf(
        event: Long,
        index: Int,
    ): ByteArray {
        val blob = LongArray(2)
        val status = c.im_event_blob(event, index.toLong(), blob)
        check(status == Statuses.OK) { "attachment $index: ${statusName(status)}" }
        return if (blob[1] == 0L) ByteArray(0) else Pointer(blob[0]).getByteArray(0, blob[1].toInt())
    }

    private fun owned(string: Pointer?): String? {
        string ?: return null
        try {
            return text(string)
        } finally {
            c.im_string_free(string)
        }
    }

    private fun text(string: Pointer): String = string.getString(0, "UTF-8")

    /** An array of `im_blob`, with its bytes behind it. */
    private inline fun <R> inMemory(
        blobs: Array<ByteArray>,
        call: (Pointer?) -> R,
    ): R {
        if (blobs.isEmpty()) return call(null)
        val memory = Memory(16L * blobs.size + blobs.sumOf { it.size })
        var place = 16L * blobs.size
        blobs.forEachIndexed { i, blob ->
            memory.setPointer(16L * i, memory.share(place))
            memory.setLong(16L * i + 8, blob.size.toLong())
            memory.write(place, blob, 0, blob.size)
            place += blob.size
        }
        return memory.use { call(it) }
    }

    private object LogLine : LogCallback {
        init {
            // Else every line has a Java thread made and ended. The thread of the library detaches at its own end.
            Jna.setCallbackThreadInitializer(this, CallbackThreadInitializer(true, false, "im-client-log"))
        }

        override fun invoke(
            level: Int,
            line: Pointer,
            data: Pointer?,
        ) = LogSink.take(level, line.getByteArray(0, line.indexOf(0, 0).toInt()))
    }

    /** Events are polled, so nothing calls it. */
    private object NeverCalled : EventCallback {
        override fun invoke(
            event: Pointer?,
            data: Pointer?,
        ) = Unit
    }

    companion object {
        /** The property `im.client.library`, else JNA's ways: `java.library.path`, the system's folders, this package's jar. */
        fun load(): Native {
            val path = System.getProperty("im.client.library")
            if (path == null) {
                val folders = System.getProperty("java.library.path").orEmpty().split(File.pathSeparator)
                folders.filter { it.isNotEmpty() }.forEach { NativeLibrary.addSearchPath("im_client", it) }
            }
            Jna.register(JnaFunctions::class.java, NativeLibrary.getInstance(path ?: "im_client"))
            return JnaNative(JnaFunctions())
        }
    }
}
