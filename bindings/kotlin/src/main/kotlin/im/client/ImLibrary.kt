package im.client

import im.client.internal.Library
import im.client.internal.LogSink
import im.client.internal.terminated
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What concerns the library as a whole, and its functions that need no client. */
public object ImLibrary {
    private val native get() = Library.native

    /** The C library's version, like `0.1.0`. */
    @JvmStatic
    public val version: String
        get() = native.versionString()

    /** How many clients live. */
    @JvmStatic
    public val clientCount: Long
        get() = native.clientCount()

    /**
     * Gives the library's log, up to a level, to a function, in place of the one before; null for none. It is called on a thread
     * of the library. Tokens, cookies and contents never appear.
     */
    @JvmStatic
    public fun setLog(
        level: LogLevel,
        sink: ((level: LogLevel, line: String) -> Unit)?,
    ) {
        LogSink.sink = sink
        native.check(native.setLogLevel(if (sink == null) LogLevel.OFF.value else level.value))
    }

    /** Closes all clients and ends all threads of the library. It is done by itself when the machine exits. */
    @JvmStatic
    public fun shutdown(timeout: Duration = 10.seconds) {
        native.check(native.shutdown(timeout.inWholeMilliseconds))
    }

    /** Completes a message as [ImClient.sendMessage] does: with `fp`, `typeu` and `time`. */
    @JvmStatic
    public fun createMessage(message: Message): Message {
        val json = elementOf(message, "message").toString().terminated("message")
        return ImJson.decodeFromString(native.messageCreate(json).orThrow())
    }

    /** The id of a conversation's direction: `from@to`. */
    @JvmStatic
    public fun timelineId(
        from: String,
        to: String,
    ): String = native.timelineId(from.terminated("from"), to.terminated("to")).orThrow()

    /** Takes the later copies out of a list of messages (JSON text); those with the same `fp`, recalls aside. */
    @JvmStatic
    public fun uniqueMessages(messages: JsonText): JsonText =
        JsonText(native.messagesUnique(messages.text.terminated("messages")).orThrow())

    private fun String?.orThrow(): String = this ?: throw exceptionOf(native.lastStatus(), native.lastError())
}
