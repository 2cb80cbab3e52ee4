package im.client

import kotlinx.serialization.EncodeDefault
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.decodeFromJsonElement

/**
 * A message of the IM server. What is null when it is sent is added by the library ([fp], [time]) or by the server (the last
 * four).
 */
@OptIn(ExperimentalSerializationApi::class)
@Serializable
public data class Message
    @JvmOverloads
    constructor(
        /** User ids. [to] is a group's where [typeu] is [MessageDomains.GROUP]. */
        val from: String,
        val to: String,
        /** The text; of an image or a voice message its URL. */
        val content: String,
        /** One of [MessageTypes]. */
        @EncodeDefault
        val type: Int = MessageTypes.TEXT,
        /** One of [MessageDomains]. */
        @EncodeDefault
        val typeu: Int = MessageDomains.DIRECT,
        /** Tells this message from every other. */
        val fp: String? = null,
        /** When it was made, in milliseconds since 1970. */
        val time: Long? = null,
        @SerialName("_id")
        val id: String? = null,
        val sequenceId: Long? = null,
        /** When the server stored it; some servers send a text, others milliseconds. */
        @SerialName("send_time")
        val sendTime: JsonElement? = null,
        val timelineId: String? = null,
    )

/** What every event of an IM server carries: [code] 0 is success, others are in [Codes]. */
@Serializable
public data class Envelope(
    val code: Int = Codes.OK,
    val meta: Meta = Meta(),
    val data: Data = Data(),
) {
    @Serializable
    public data class Meta(
        /** In milliseconds since 1970. */
        val timestamp: Long? = null,
        /** The server's words. */
        val msg: String? = null,
        /** A copy of what this user's other device sent. */
        val sync: Boolean = false,
    )

    @Serializable
    public data class Data(
        /** The event's constant, such as `CHAT_MESSAGE`. */
        val action: String? = null,
        val payload: JsonElement? = null,
    )
}

/** The envelope of an IM server's event. Fails with a `SerializationException` where it has none. */
public fun Event.envelope(): Envelope = decode()

/** What is in the envelope, as a serializable type: a [Message] of `c_message`, a `List<Message>` of `offline_message` … */
public inline fun <reified T> Event.payload(): T = ImJson.decodeFromJsonElement(envelope().data.payload ?: JsonNull)
