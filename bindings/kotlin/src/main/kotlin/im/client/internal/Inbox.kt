package im.client.internal

import im.client.Event
import im.client.WIRE_NAMES
import kotlinx.coroutines.channels.Channel
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/** The one name of an IM event, which has two: servers may send either. */
internal fun canonical(name: String): String = WIRE_NAMES[name] ?: name

/** An event on its way to its subscribers. */
internal class Delivery(
    val event: Event,
    val pointer: Long,
    val number: Long,
    val cost: Int,
) {
    /** Subscribers that have not had it yet. */
    val left = AtomicInteger()
    val seen = AtomicBoolean()
    var since = 0L
}

/** A collector: its events wait in a channel of its own. */
internal class Subscriber(
    /** None: every event. */
    private val names: Set<String>,
    onUnseen: (Delivery) -> Unit,
    val onEnd: () -> Unit,
) {
    /** Without a bound, for the inbox as a whole has one. What is on its way to a collector that is canceled comes back too. */
    val waiting = Channel(Channel.UNLIMITED, onUndeliveredElement = onUnseen)

    fun wants(event: Event): Boolean = names.isEmpty() || canonical(event.name) in names
}

/**
 * What a client has received and nobody has dealt with yet, for any number of collectors.
 *
 * What no collector has had waits for one: for 10 s, the newest 1 MiB. (The C library keeps less, 64 events: but here a
 * collector may end, and leave all that waited for it to the next.)
 * Bounded: where [isFull], the events stay in the library, which stops reading from the network in the end. An event is given
 * back to the library when all its collectors have returned from it: then a message is receipted.
 */
internal class Inbox(
    private val release: (pointer: Long, delivered: Boolean) -> Unit,
    private val onRoom: () -> Unit,
    private val now: () -> Long = System::nanoTime,
) {
    private val lock = Any()
    private var subscribers = emptyList<Subscriber>()
    private val early = ArrayList<Delivery>()
    private var earlyCost = 0
    private var waitingCost = 0
    private var full = false
    private var ended = false
    private var count = 0L

    /** Says whether no more events may be put, until `onRoom` is called. */
    fun isFull(): Boolean = synchronized(lock) { full }

    /** Takes an event, which [pointer] gives back. One thread at a time. */
    fun put(
        event: Event,
        pointer: Long,
    ) = place(Delivery(event, pointer, count++, costOf(event)))

    /** Gives an event to those who collect it now, or keeps it for who will. */
    private fun place(delivery: Delivery) {
        var targets = emptyList<Subscriber>()
        val dropped =
            synchronized(lock) {
                targets = subscribers.filter { it.wants(delivery.event) }
                // In one step with the look for collectors: one that came in between would miss it.
                if (targets.isEmpty()) return@synchronized keep(delivery)
                begin(delivery, targets.size)
                emptyList()
            }
        drop(dropped)
        // Outside the lock: a collector without a dispatcher runs in here.
        // One that has ended since then takes nothing more; one that began since then would miss the event if it were only kept.
        targets.forEach { if (it.waiting.trySend(delivery).isFailure) done(delivery, seen = false, unseen = ::place) }
    }

    /** A new collector of these events, which gets first what waited for it; null where the client is closed. */
    fun subscribe(
        names: Collection<String>,
        onEnd: () -> Unit = {},
    ): Subscriber? {
        val subscriber = Subscriber(names.mapTo(HashSet(), ::canonical), { done(it, seen = false) }, onEnd)
        val dropped =
            synchronized(lock) {
                if (ended) return null
                val dropped = expired()
                val (mine, others) = early.partition { subscriber.wants(it.event) }
                early.clear()
                early.addAll(others)
                for (delivery in mine) {
                    earlyCost -= delivery.cost
                    begin(delivery, 1)
                    subscriber.waiting.trySend(delivery)
                }
                subscribers = subscribers + subscriber
                dropped
            }
        drop(dropped)
        return subscriber
    }

    /** The end of a collector. What it has not had waits for another: in one step, or one that begins in between would miss it. */
    fun unsubscribe(subscriber: Subscriber) {
        synchronized(lock) {
            subscribers = subscribers - subscriber
            subscriber.waiting.cancel()
        }
        subscriber.onEnd()
    }

    /** A collector has done with an event, or has not seen it; [unseen] takes one that nobody has. */
    fun done(
        delivery: Delivery,
        seen: Boolean,
        unseen: (Delivery) -> Unit = { drop(synchronized(lock) { keep(it) }) },
    ) {
        if (seen) delivery.seen.set(true)
        if (delivery.left.decrementAndGet() > 0) return
        var hasRoomAgain = false
        synchronized(lock) {
            waitingCost -= delivery.cost
            hasRoomAgain = full && waitingCost <= LIMIT / 2
            if (hasRoomAgain) full = false
        }
        if (delivery.seen.get()) release(delivery.pointer, true) else unseen(delivery)
        if (hasRoomAgain) onRoom()
    }

    /** The client is closed: its collectors end, and what nobody has seen is not receipted. */
    fun end() {
        val (all, unseen) =
            synchronized(lock) {
                ended = true
                val state = subscribers to early.toList()
                subscribers = emptyList()
                early.clear()
                state
            }
        all.forEach { it.waiting.cancel() }
        drop(unseen)
    }

    private fun begin(
        delivery: Delivery,
        targets: Int,
    ) {
        delivery.left.set(targets)
        waitingCost += delivery.cost
        if (waitingCost >= LIMIT) full = true
    }

    /** Nobody has had it: it waits for the next who wants it. Gives what is to be dropped for that. Under the lock. */
    private fun keep(delivery: Delivery): List<Delivery> {
        if (ended) return listOf(delivery)
        delivery.since = now()
        early.add(early.indexOfLast { it.number < delivery.number } + 1, delivery)
        earlyCost += delivery.cost
        val dropped = ArrayList<Delivery>()
        while (earlyCost > LIMIT) dropped.add(removeOldest())
        return dropped
    }

    /** What nobody has had in time. Under the lock. */
    private fun expired(): List<Delivery> {
        val dropped = ArrayList<Delivery>()
        while (early.isNotEmpty() && now() - early.first().since >= EARLY_NANOS) dropped.add(removeOldest())
        return dropped
    }

    private fun drop(unseen: List<Delivery>) = unseen.forEach { release(it.pointer, false) }

    private fun removeOldest(): Delivery = early.removeAt(0).also { earlyCost -= it.cost }

    private fun costOf(event: Event): Int = EVENT_COST + 2 * event.json.length + event.blobs.sumOf { it.size }

    private companion object {
        const val LIMIT = 1 shl 20
        const val EVENT_COST = 256
        const val EARLY_NANOS = 10_000_000_000
    }
}
