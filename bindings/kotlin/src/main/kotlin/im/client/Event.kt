package im.client

import im.client.internal.Native
import im.client.internal.Polled
import im.client.internal.terminated
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.serializer

/**
 * An event of the server or of the connection, or the server's answer to a request. Plain data: it may be kept and read on
 * any thread for as long as one likes.
 */
public class Event internal constructor(
    private val native: Native,
    private val client: Long,
    polled: Polled,
) {
    private val kind = polled.kind
    private val ackId = polled.ackId
    private val request = polled.request

    /** The name as it came; empty for an answer. */
    public val name: String = polled.name.decodeToString()

    /** The first argument as JSON text; `null` where there is none. */
    public val json: String = polled.json.decodeToString()

    private val otherArgs = polled.args?.decodeToString()

    /** All arguments, as the text of a JSON array. */
    public val args: String
        get() = otherArgs ?: "[$json]"

    /** The binary values. Number `i` stands in the JSON as `{"_placeholder":true,"num":i}`. Not to be changed. */
    public val blobs: List<ByteArray> = polled.blobs.asList()

    /** Whether the server waits for a [reply]. */
    public val isQuestion: Boolean
        get() = ackId != 0L

    /** Whether the connection itself says it, and no server: that may send events by the same names. */
    public val isLocal: Boolean
        get() = kind == KIND_LOCAL

    /** Whether the library waits for an [answer]: `auth` or `query` before a connection. */
    public val isRequest: Boolean
        get() = kind == KIND_REQUEST

    /** The first argument, parsed. */
    public val element: JsonElement by lazy { ImJson.parseToJsonElement(json) }

    /** The first argument as a serializable type. Fails with a `SerializationException` where it is none. */
    public inline fun <reified T> decode(format: Json = ImJson): T = decode(serializer<T>(), format)

    /** As the other [decode], for who has the serializer. */
    @JvmOverloads
    public fun <T> decode(
        deserializer: DeserializationStrategy<T>,
        format: Json = ImJson,
    ): T = format.decodeFromString(deserializer, json)

    /**
     * Answers the server's question with these values (see [ImClient.emit]), while handling it or later, from any thread. A
     * second answer, or one after the connection is gone, is an [ImException].
     */
    public fun reply(vararg values: Any?) {
        val arguments = Arguments(values)
        native.check(native.reply(client, ackId, arguments.json, arguments.blobs))
    }

    /** Answers the library's request with an object that holds from now on, or with null: nothing changes. */
    public fun answer(value: Any?) {
        native.check(native.answer(client, request, elementOf(value, "value").toString().terminated("value")))
    }

    override fun toString(): String = "$name $json"
}

/** How JSON is read and written here: what a type does not know is ignored. */
public val ImJson: Json = Json { ignoreUnknownKeys = true }
