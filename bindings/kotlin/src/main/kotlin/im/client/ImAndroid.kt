package im.client

import im.client.internal.JniNative
import im.client.internal.Library
import im.client.internal.Platform

/** What an Android app has to do once, before its first client. */
public object ImAndroid {
    /**
     * Gives the library the app's `android.content.Context`, by which it asks the system whether a server's certificate is good;
     * without it no `https` or `wss` server is trusted. Elsewhere than on Android an [ImException].
     */
    @JvmStatic
    public fun init(context: Any) {
        val native = Library.native
        if (native !is JniNative || !Platform.isAndroid) throw exceptionOf(Statuses.ERROR_UNSUPPORTED)
        native.check(native.androidInit(context))
    }
}
