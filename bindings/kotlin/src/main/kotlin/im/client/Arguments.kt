package im.client

import im.client.internal.Native
import im.client.internal.utf8
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.JsonUnquotedLiteral
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.serializerOrNull

/** A value that is JSON text already. */
public data class JsonText(
    public val text: String,
)

/** Throws what a status of the library stands for, unless it is none of failure. */
internal fun Native.check(status: Int): Int = if (status < 0) throw exceptionOf(status, lastError()) else status

/** The same for a call that gives an id or a number. */
internal fun Native.check(result: Long): Long = if (result < 0) throw exceptionOf(result.toInt(), lastError()) else result

/** Arguments as the library takes them: a JSON array, and what is binary in it. */
internal class Arguments(
    values: Array<out Any?>,
) {
    private val binary = ArrayList<ByteArray>()

    val json: ByteArray =
        notTooDeep("arguments") {
            JsonArray(values.mapIndexed { i, value -> elementOf(value, "argument ${i + 1}", binary) }).toString()
        }.utf8("arguments")

    val blobs: Array<ByteArray> = binary.toTypedArray()
}

/** A value as JSON; [name] is what an error calls it. */
internal fun elementOf(
    value: Any?,
    name: String,
): JsonElement = notTooDeep(name) { elementOf(value, name, null) }

/** What is nested without end, for it holds itself, is the caller's error too. */
private inline fun <T> notTooDeep(
    name: String,
    make: () -> T,
): T =
    try {
        make()
    } catch (e: StackOverflowError) {
        throw argumentException("the $name: nested too deep; does a value hold itself?", e, Statuses.ERROR_JSON)
    }

private fun elementOf(
    value: Any?,
    name: String,
    binary: MutableList<ByteArray>?,
): JsonElement =
    when (value) {
        null -> JsonNull
        is JsonElement -> value
        is JsonText -> parsed(value.text, name)
        is String -> JsonPrimitive(value)
        is Boolean -> JsonPrimitive(value)
        is Number -> number(value, name)
        is ByteArray -> placeholder(value, name, binary)
        is Map<*, *> -> JsonObject(value.entries.associate { (key, item) -> "$key" to elementOf(item, "$name[$key]", binary) })
        is Iterable<*> -> JsonArray(value.mapIndexed { i, item -> elementOf(item, "$name[$i]", binary) })
        is Array<*> -> elementOf(value.asList(), name, binary)
        else -> encoded(value, name)
    }

private fun parsed(
    text: String,
    name: String,
): JsonElement =
    try {
        ImJson.parseToJsonElement(text)
    } catch (e: SerializationException) {
        throw argumentException("the $name is not JSON: ${e.message}", e, Statuses.ERROR_JSON)
    }

@OptIn(ExperimentalSerializationApi::class)
private fun number(
    value: Number,
    name: String,
): JsonElement {
    val text = value.toString()
    if (text.isEmpty() || text.last().isLetter()) {
        throw argumentException(
            "the $name is $text, which JSON has no word for",
            null,
            Statuses.ERROR_JSON,
        )
    }
    return JsonUnquotedLiteral(text)
}

private fun placeholder(
    bytes: ByteArray,
    name: String,
    binary: MutableList<ByteArray>?,
): JsonElement {
    if (binary == null) throw argumentException("the $name is binary, which has no place here")
    binary.add(bytes)
    return buildJsonObject {
        put("_placeholder", true)
        put("num", binary.size - 1)
    }
}

private fun encoded(
    value: Any,
    name: String,
): JsonElement {
    val serializer =
        serializerOrNull(value::class.java)
            ?: throw argumentException(
                "the $name is of ${value::class.java.name}, which is not @Serializable, or generic: " +
                    "a value of a generic class is sent as ImJson.encodeToJsonElement(value)",
            )
    return try {
        ImJson.encodeToJsonElement(serializer, value)
    } catch (e: SerializationException) {
        throw argumentException("the $name can't be made JSON: ${e.message}", e, Statuses.ERROR_JSON)
    }
}
