package im.client.internal

import im.client.Event
import im.client.KIND_ACK
import im.client.Statuses
import kotlin.concurrent.thread

/**
 * The one thread of a client: it takes from the library what comes and hands it on. A daemon, which never calls code of the
 * program (but for coroutines that ask for no dispatcher), so nothing that a program does can hold up an acknowledgement.
 */
internal class Pump(
    private val native: Native,
    private val client: Long,
    private val requests: Requests,
    private val inbox: Inbox,
    private val onEnd: () -> Unit,
) {
    fun start() {
        thread(isDaemon = true, name = "im-client-$client") { run() }
    }

    private fun run() {
        try {
            while (true) {
                val polled = native.poll(client, outcomesOnly = inbox.isFull())
                if (polled.status == Statuses.WOKEN) continue
                if (polled.status < 0) break
                take(polled)
            }
        } finally {
            // Is so already, but where this thread fails (memory is short): nobody takes what comes any more.
            native.destroy(client)
            requests.end(Outcome(Statuses.ERROR_CANCELED, null))
            inbox.end()
            onEnd()
        }
    }

    private fun take(polled: Polled) {
        val event = Event(native, client, polled)
        if (polled.kind != KIND_ACK) return inbox.put(event, polled.pointer)
        native.release(polled.pointer, delivered = true)
        // An outcome without the server's answer has no arguments.
        val answered = polled.outcome == Statuses.OK || event.args != "[]"
        requests.complete(polled.request, Outcome(polled.outcome, event.takeIf { answered }))
    }
}
