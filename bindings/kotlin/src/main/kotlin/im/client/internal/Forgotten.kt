package im.client.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/**
 * Gives back what its owner forgot to close, once the garbage collector has found that out.
 *
 * As `java.lang.ref.Cleaner`, which Android has only from API level 33 on.
 */
internal object Forgotten {
    private val queue = ReferenceQueue<Any>()
    private val entries = ConcurrentHashMap.newKeySet<Entry>()

    /** [action] must not refer to the owner, or that is never forgotten. */
    class Entry(
        owner: Any,
        private val action: () -> Unit,
    ) : PhantomReference<Any>(owner, queue) {
        /** Runs the action, unless it has run. */
        fun run() {
            if (entries.remove(this)) action()
        }
    }

    init {
        thread(isDaemon = true, name = "im-client-forgotten") {
            while (true) (queue.remove() as Entry).run()
        }
    }

    fun watch(
        owner: Any,
        action: () -> Unit,
    ): Entry = Entry(owner, action).also { entries.add(it) }
}
