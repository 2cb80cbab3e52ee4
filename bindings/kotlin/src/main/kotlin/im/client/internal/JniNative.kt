package im.client.internal

/**
 * The library by JNI: Android's way, which needs no other library. `src/main/jni/im_client_jni.c` has the other half, by these
 * names and signatures: it registers them all, so a difference shows when it is loaded.
 */
internal object JniNative : Native {
    /** Of the properties `im.client.library` and `im.client.jni`, else as Android and `java.library.path` have it. */
    fun load(): Native {
        System.getProperty("im.client.library")?.let(System::load)
        System.getProperty("im.client.jni")?.let(System::load) ?: System.loadLibrary("im_client_jni")
        return this
    }

    external override fun versionCheck(version: Int): Int

    external override fun versionString(): String

    external override fun statusName(status: Int): String

    external override fun statusText(status: Int): String

    override fun lastError(): String = lastErrorBytes().decodeToString()

    private external fun lastErrorBytes(): ByteArray

    external override fun lastStatus(): Int

    external override fun clientCount(): Long

    external override fun shutdown(timeoutMs: Long): Int

    external override fun setLogLevel(level: Int): Int

    override fun messageCreate(json: ByteArray): String? = messageCreateBytes(json)?.decodeToString()

    private external fun messageCreateBytes(json: ByteArray): ByteArray?

    override fun timelineId(
        from: ByteArray,
        to: ByteArray,
    ): String? = timelineIdBytes(from, to)?.decodeToString()

    private external fun timelineIdBytes(
        from: ByteArray,
        to: ByteArray,
    ): ByteArray?

    override fun messagesUnique(json: ByteArray): String? = messagesUniqueBytes(json)?.decodeToString()

    private external fun messagesUniqueBytes(json: ByteArray): ByteArray?

    external override fun create(options: ByteArray): Long

    external override fun open(client: Long): Int

    external override fun close(client: Long): Int

    external override fun destroySocket(client: Long): Int

    external override fun destroy(client: Long): Int

    external override fun state(client: Long): Int

    override fun socketId(client: Long): String? = socketIdBytes(client)?.decodeToString()

    private external fun socketIdBytes(client: Long): ByteArray?

    override fun info(client: Long): String? = infoBytes(client)?.decodeToString()

    private external fun infoBytes(client: Long): ByteArray?

    external override fun setAuth(
        client: Long,
        json: ByteArray?,
    ): Int

    external override fun setQuery(
        client: Long,
        json: ByteArray,
    ): Int

    external override fun answer(
        client: Long,
        request: Long,
        json: ByteArray,
    ): Int

    external override fun emit(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        flags: Int,
    ): Int

    external override fun emitWithAck(
        client: Long,
        event: ByteArray,
        args: ByteArray,
        blobs: Array<ByteArray>,
        timeoutMs: Long,
    ): Long

    external override fun sendMessage(
        client: Long,
        message: ByteArray,
        timeoutMs: Long,
    ): Long

    external override fun cancel(
        client: Long,
        request: Long,
    ): Int

    external override fun reply(
        client: Long,
        ackId: Long,
        args: ByteArray,
        blobs: Array<ByteArray>,
    ): Int

    external override fun clearSendBuffer(client: Long): Long

    external override fun flush(
        client: Long,
        timeoutMs: Long,
    ): Int

    external override fun networkChanged(client: Long): Int

    external override fun background(client: Long): Int

    external override fun foreground(client: Long): Int

    external override fun subscribe(
        client: Long,
        event: ByteArray,
    ): Long

    external override fun unsubscribe(
        client: Long,
        subscription: Long,
    ): Int

    override fun poll(
        client: Long,
        outcomesOnly: Boolean,
    ): Polled {
        val numbers = LongArray(NUMBERS)
        val texts = arrayOfNulls<ByteArray>(TEXTS)
        val status = poll(client, outcomesOnly, numbers, texts)
        if (status != 0) return Polled.failed(status)
        val (pointer, kind, ackId, request, outcome) = numbers
        val blobs = Array(numbers[BLOBS].toInt()) { blob(pointer, it) }
        val (name, json, args) = texts
        return Polled(status, pointer, kind.toInt(), name!!, json!!, args, blobs, ackId, request, outcome.toInt())
    }

    /** Fills in pointer, kind, ackId, request, status and the count of blobs; and name, json and, where it differs, args. */
    private external fun poll(
        client: Long,
        outcomesOnly: Boolean,
        numbers: LongArray,
        texts: Array<ByteArray?>,
    ): Int

    private external fun blob(
        event: Long,
        index: Int,
    ): ByteArray

    external override fun wake(client: Long): Int

    external override fun release(
        event: Long,
        delivered: Boolean,
    )

    /** See [im.client.ImAndroid]. */
    external fun androidInit(context: Any): Int

    /** Called by the library for a line of its log. */
    @JvmStatic
    fun log(
        level: Int,
        line: ByteArray,
    ) = LogSink.take(level, line)

    private const val NUMBERS = 6
    private const val BLOBS = 5
    private const val TEXTS = 3
}
