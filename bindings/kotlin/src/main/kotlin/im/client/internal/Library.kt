package im.client.internal

import im.client.HEADER_VERSION
import im.client.ImLibraryException
import im.client.Statuses
import kotlin.concurrent.thread

/**
 * The C library, loaded and checked once.
 *
 * The property `im.native` chooses the way to it: `jna` (the desktop's) or `jni` (Android's).
 */
internal object Library {
    private const val SHUTDOWN_MS = 3_000L

    val native: Native by lazy {
        val native = load()
        check(native, HEADER_VERSION)
        // Threads of the library must not run into a machine that is going.
        Runtime.getRuntime().addShutdownHook(thread(start = false, name = "im-client-shutdown") { native.shutdown(SHUTDOWN_MS) })
        native
    }

    private fun load(): Native =
        try {
            val way = System.getProperty("im.native") ?: if (Platform.isAndroid) "jni" else "jna"
            if (way == "jni") JniNative.load() else JnaNative.load()
        } catch (e: LinkageError) {
            throw ImLibraryException(
                Statuses.ERROR_SYSTEM,
                "IM_ERROR_SYSTEM",
                "libim_client can't be loaded: ${e.message}",
                e,
            )
        }

    /** A library of another version has other functions, so it is refused before anything else is called. */
    fun check(
        native: Native,
        version: Int,
    ) {
        val status = native.versionCheck(version)
        if (status < 0) throw ImLibraryException(status, native.statusName(status), native.lastError())
    }
}
