package im.client.internal

import im.client.Credentials
import im.client.Event
import im.client.Events
import im.client.ImClosedException
import im.client.ImOptions
import im.client.Statuses
import im.client.check
import im.client.elementOf
import im.client.exceptionOf
import im.client.queryOf
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonElement
import java.util.logging.Level
import java.util.logging.Logger

/** All that a client is made of. It knows nothing of the client itself, so that this can be found forgotten while this lives. */
internal class Session(
    val native: Native,
    options: ImOptions,
) {
    val handle = native.create(options.toJson().terminated("options"))
    val requests = Requests()
    val inbox = Inbox(native::release, onRoom = { native.wake(handle) })
    val scope = CoroutineScope(loggedErrors + options.context + SupervisorJob(options.context[Job]))

    init {
        if (handle == 0L) throw exceptionOf(native.lastStatus(), native.lastError())
        options.authProvider?.let { provide(Events.AUTH, it) { auth -> elementOf(auth, "auth") } }
        options.queryProvider?.let { provide(Events.QUERY, it) { query -> queryOf(query, options.nsp) } }
        Pump(native, handle, requests, inbox, onEnd = { scope.cancel() }).start()
    }

    /** Ends everything, at once; the thread follows. */
    fun destroy() {
        native.destroy(handle)
        requests.end(Outcome(Statuses.ERROR_CANCELED, null))
        inbox.end()
        scope.cancel()
    }

    /** A collector of these events (none: all). */
    fun subscribe(names: List<String>): Subscriber {
        // The library makes this one only where somebody asks for it by its name.
        val pings = names.filter { it == Events.PING }.map { native.check(native.subscribe(handle, it.terminated("event"))) }
        val subscriber = inbox.subscribe(names, onEnd = { pings.forEach { native.unsubscribe(handle, it) } })
        return subscriber ?: throw exceptionOf(Statuses.ERROR_HANDLE)
    }

    /** Takes a collector's events, until the client is closed. */
    suspend inline fun forEach(
        subscriber: Subscriber,
        handle: (Event) -> Unit,
    ) {
        while (true) {
            // Before it takes one: what waits already is taken without a suspension, that would see to it.
            currentCoroutineContext().ensureActive()
            val delivery = subscriber.waiting.receiveCatching().getOrNull() ?: break
            try {
                handle(delivery.event)
            } finally {
                inbox.done(delivery, seen = true)
            }
        }
    }

    /** Calls a handler with a collector's events, whatever it throws. */
    fun launch(
        subscriber: Subscriber,
        handler: suspend (Event) -> Unit,
    ): Job {
        val job = scope.launch { forEach(subscriber) { reportingErrors { handler(it) } } }
        job.invokeOnCompletion { inbox.unsubscribe(subscriber) }
        return job
    }

    private suspend inline fun reportingErrors(handle: () -> Unit) {
        try {
            handle()
        } catch (e: Throwable) {
            // Its own end is no failure; a timeout inside it, which looks alike, is one.
            val context = currentCoroutineContext()
            context.ensureActive()
            // Nor is the end of the client: a program that exits closes it under its handlers.
            val isEnd = e is ImClosedException && native.state(this.handle) < 0
            if (!isEnd) context[CoroutineExceptionHandler]?.handleException(context, e)
        }
    }

    /** Answers what the library asks before each connection. A provider that fails is reported, and nothing changes. */
    private fun provide(
        name: String,
        provider: Credentials,
        toJson: (Any?) -> JsonElement,
    ) {
        launch(subscribe(listOf(name))) { event ->
            if (event.isRequest) {
                try {
                    event.answer(provider()?.let(toJson))
                } catch (e: Throwable) {
                    // Also where the library has refused what was given: it waits for an answer.
                    event.answer(null)
                    throw e
                }
            }
        }
    }

    private companion object {
        /** What a handler throws, where the program says nothing better. */
        val loggedErrors =
            CoroutineExceptionHandler { _, e ->
                Logger.getLogger("im.client").log(Level.SEVERE, "a handler of events failed", e)
            }
    }
}
