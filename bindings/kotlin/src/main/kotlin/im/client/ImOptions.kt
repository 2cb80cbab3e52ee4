package im.client

import im.client.internal.Platform
import kotlinx.coroutines.Dispatchers
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/** Gives the query or the auth of the next connection: an object (see [ImClient.emit]), or null for that of before. */
public typealias Credentials = suspend () -> Any?

/**
 * What a client is made with. The properties of [PlainOptions] are the library's options; an option of a newer library, or a
 * value of another type, is [set] by its name.
 *
 * @param root the server: scheme (`http`, `https`, `ws`, `wss`), host and port, no path
 * @param nsp the namespace: `chat`, `sso`, `/` or any other
 */
public class ImOptions(
    root: String,
    internal val nsp: String,
) : PlainOptions() {
    private val query = LinkedHashMap<String, Any?>()
    internal var queryProvider: Credentials? = null
        private set
    internal var authProvider: Credentials? = null
        private set

    /**
     * Where handlers ([ImClient.on]) and providers of credentials run: a dispatcher, and a `CoroutineExceptionHandler` for
     * what they throw. Without the latter that goes to the logger `im.client` of `java.util.logging`.
     */
    public var context: CoroutineContext = Dispatchers.Default

    init {
        values["root"] = root
        values["nsp"] = nsp
    }

    /** Goes into the URL: `token`, `userId`, `device_id` … Strings, numbers or booleans. Added to what is there already. */
    public fun query(vararg pairs: Pair<String, Any>): ImOptions = apply { query.putAll(pairs) }

    /** One more parameter of the query. */
    public fun query(
        name: String,
        value: Any,
    ): ImOptions = apply { query[name] = value }

    /** Asks for the query before each connection (option `askQuery`). */
    public fun askQuery(provider: Credentials): ImOptions = apply { queryProvider = provider }

    /** Asks for the auth before each connection (option `askAuth`). */
    public fun askAuth(provider: Credentials): ImOptions = apply { authProvider = provider }

    /** Any option by its name, its value as in [ImClient.emit]; a duration is told in milliseconds. */
    public operator fun set(
        name: String,
        value: Any?,
    ) {
        values[name] = value
    }

    internal fun toJson(): String {
        val all = LinkedHashMap(values)
        if (queryProvider != null) all["askQuery"] = true
        if (authProvider != null) all["askAuth"] = true
        if ("query" !in all) all["query"] = queryOf(query, nsp)
        // What comes is taken by this package's own thread.
        all["delivery"] = "manual"
        return elementOf(all.mapValues { (_, value) -> milliseconds(value) }, "options").toString()
    }

    private fun milliseconds(value: Any?): Any? = if (value is Duration) value.inWholeMilliseconds else value
}

/** A query as JSON. In `chat` it tells a phone from a desktop, which the library takes this for where nothing is said. */
internal fun queryOf(
    value: Any?,
    nsp: String,
): JsonElement {
    val query = elementOf(value, "query")
    val device = Platform.deviceType
    val isUntold = nsp.trim('/') == "chat" && query is JsonObject && "deviceType" !in query
    return if (isUntold && device != null) JsonObject(query + ("deviceType" to JsonPrimitive(device))) else query
}
