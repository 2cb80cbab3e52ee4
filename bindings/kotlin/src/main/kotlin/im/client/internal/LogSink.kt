package im.client.internal

import im.client.LogLevel
import java.util.logging.Level
import java.util.logging.Logger

/** Where the library's log goes. */
internal object LogSink {
    @Volatile
    var sink: ((LogLevel, String) -> Unit)? = null

    /** Called by the library, on a thread of its own: nothing may be thrown through it. */
    @JvmStatic
    fun take(
        level: Int,
        line: ByteArray,
    ) {
        try {
            sink?.invoke(LogLevel.of(level), line.decodeToString())
        } catch (e: Throwable) {
            Logger.getLogger("im.client").log(Level.SEVERE, "the function for the log failed", e)
        }
    }
}
