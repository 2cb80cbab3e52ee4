package im.client

import im.client.internal.Session
import kotlinx.coroutines.ExperimentalForInheritanceCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector

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

/**
 * The flow of a client's events. Not made by `flow`, for that looks for a cancellation between taking an event and handing it
 * on, where it would be lost.
 */
@OptIn(ExperimentalForInheritanceCoroutinesApi::class)
internal class EventFlow(
    /** Is not forgotten while somebody collects. */
    private val client: ImClient,
    private val session: Session,
    private val names: List<String>,
) : Flow<Event> {
    override suspend fun collect(collector: FlowCollector<Event>) {
        val subscriber = session.subscribe(names)
        try {
            session.forEach(subscriber) { collector.emit(it) }
        } finally {
            session.inbox.unsubscribe(subscriber)
            client.keepAlive()
        }
    }
}
