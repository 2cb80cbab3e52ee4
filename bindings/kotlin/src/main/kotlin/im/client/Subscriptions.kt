package im.client

import im.client.internal.Inbox
import im.client.internal.Native
import im.client.internal.Subscriber
import im.client.internal.terminated
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalForInheritanceCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import java.util.logging.Level
import java.util.logging.Logger

/** Gets events: [ImClient.addListener]. */
public fun interface EventListener {
    public fun onEvent(event: Event)
}

/** A handler that is subscribed; [close] ends that. Its call that runs may go on to its next suspension. */
public class Subscription internal constructor(
    private val job: Job,
) : AutoCloseable {
    override fun close() {
        job.cancel()
    }
}

/** What a handler throws, where the program says nothing better. */
internal val LoggedErrors: CoroutineExceptionHandler =
    CoroutineExceptionHandler { _, e -> Logger.getLogger("im.client").log(Level.SEVERE, "a handler of events failed", e) }

/** A collector of these events. */
internal fun Native.listening(
    inbox: Inbox,
    client: Long,
    names: Array<out String>,
): Subscriber {
    // The library makes this one only where somebody asks for it by its name.
    val pings = names.filter { it == Events.PING }.map { check(subscribe(client, it.terminated("event"))) }
    val subscriber = inbox.subscribe(names.asList(), onEnd = { pings.forEach { unsubscribe(client, it) } })
    return subscriber ?: throw exceptionOf(Statuses.ERROR_HANDLE)
}

/**
 * The flow of a client's events. Not made by `flow`, for that looks for a cancellation between taking an event and handing it
 * on, where it would be lost.
 */
@OptIn(ExperimentalForInheritanceCoroutinesApi::class)
internal class EventFlow(
    private val inbox: Inbox,
    private val subscribe: () -> Subscriber,
) : Flow<Event> {
    override suspend fun collect(collector: FlowCollector<Event>) {
        val subscriber = subscribe()
        try {
            inbox.forEach(subscriber) { collector.emit(it) }
        } finally {
            inbox.unsubscribe(subscriber)
        }
    }
}

/** Takes a collector's events, until the client is closed. */
internal suspend inline fun Inbox.forEach(
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
            done(delivery, seen = true)
        }
    }
}

internal fun launchHandler(
    inbox: Inbox,
    scope: CoroutineScope,
    subscriber: Subscriber,
    handler: suspend (Event) -> Unit,
): Job {
    val job = scope.launch { inbox.forEach(subscriber) { inbox.reportingErrors { handler(it) } } }
    job.invokeOnCompletion { inbox.unsubscribe(subscriber) }
    return job
}

private suspend inline fun Inbox.reportingErrors(handle: () -> Unit) {
    try {
        handle()
    } catch (
        @Suppress("TooGenericExceptionCaught") e: Throwable,
    ) {
        // Its own end is no failure; a timeout inside it, which looks alike, is one.
        val context = currentCoroutineContext()
        context.ensureActive()
        // Nor is the end of the client: a program that exits closes it under its handlers.
        if (e !is ImClosedException || !isClosed()) context[CoroutineExceptionHandler]?.handleException(context, e)
    }
}

/** Answers what the library asks before each connection. A provider that fails is reported, and nothing changes. */
internal fun provideCredentials(
    inbox: Inbox,
    scope: CoroutineScope,
    name: String,
    provider: Credentials,
    toJson: (Any?) -> JsonElement,
) {
    val subscriber = inbox.subscribe(listOf(name)) ?: return
    launchHandler(inbox, scope, subscriber) { event ->
        if (event.isRequest) {
            var given: JsonElement = JsonNull
            try {
                given = provider()?.let(toJson) ?: JsonNull
            } finally {
                event.answer(given)
            }
        }
    }
}
