package im.client.internal

import im.client.Event
import kotlin.coroutines.Continuation

/** How a request ended: [reply] is what the server answered, if it did. */
internal class Outcome(
    val status: Int,
    val reply: Event?,
)

/** Who waits for which request. Its outcome may be polled before the call that made it has returned. */
internal class Requests {
    private class Waiter(
        /** Keeps the client alive as long as somebody waits for it. */
        val client: Any,
        val continuation: Continuation<Outcome>,
    )

    private val lock = Any()
    private val waiting = HashMap<Long, Waiter>()
    private val early = HashMap<Long, Outcome>()
    private var end: Outcome? = null

    /** Waits for a request's outcome. A canceled wait stays here until the outcome comes: the library tells each once. */
    fun await(
        request: Long,
        client: Any,
        continuation: Continuation<Outcome>,
    ) {
        val known =
            synchronized(lock) {
                (early.remove(request) ?: end).also { if (it == null) waiting[request] = Waiter(client, continuation) }
            }
        known?.let { continuation.resumeWith(Result.success(it)) }
    }

    fun complete(
        request: Long,
        outcome: Outcome,
    ) {
        val waiter =
            synchronized(lock) {
                waiting.remove(request).also { if (it == null) early[request] = outcome }
            }
        waiter?.continuation?.resumeWith(Result.success(outcome))
    }

    /** No outcome comes any more: who waits, now or later, gets this one. */
    fun end(outcome: Outcome) {
        val left =
            synchronized(lock) {
                end = outcome
                waiting.values.toList().also { waiting.clear() }
            }
        left.forEach { it.continuation.resumeWith(Result.success(outcome)) }
    }
}
