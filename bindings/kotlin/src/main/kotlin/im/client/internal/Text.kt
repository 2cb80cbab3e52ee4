package im.client.internal

import im.client.Statuses
import im.client.argumentException
import java.nio.charset.CharacterCodingException

/** UTF-8; half a surrogate pair, which UTF-8 has no place for, is the caller's error and not a question mark. */
internal fun String.utf8(argument: String): ByteArray =
    try {
        encodeToByteArray(throwOnInvalidSequence = true)
    } catch (e: CharacterCodingException) {
        throw argumentException("the argument \"$argument\" has half of a surrogate pair", e, Statuses.ERROR_UTF8)
    }

/** UTF-8 as C wants it. */
internal fun String.terminated(argument: String): ByteArray {
    if (indexOf('\u0000') >= 0) throw argumentException("the argument \"$argument\" has a NUL character")
    val bytes = utf8(argument)
    return bytes.copyOf(bytes.size + 1)
}
