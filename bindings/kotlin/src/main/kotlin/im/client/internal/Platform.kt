package im.client.internal

/** What this runs on, without a word of the Android SDK. */
internal object Platform {
    val isAndroid: Boolean
        get() = System.getProperty("java.vendor").orEmpty().contains("Android")

    /**
     * The device as the server is to know it: a mobile user agent with its model, such as
     * `Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/…)`. Null where the library's own `desktop` is right.
     */
    val deviceType: String?
        get() = if (isAndroid) System.getProperty("http.agent")?.ifBlank { null } ?: "Android" else null
}
