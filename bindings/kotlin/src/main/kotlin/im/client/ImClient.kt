package im.client

import im.client.internal.Forgotten
import im.client.internal.Library
import im.client.internal.Session
import im.client.internal.terminated
import im.client.internal.utf8
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.future.future
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import java.util.concurrent.CompletableFuture
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A client of a Socket.IO server for instant messaging: one user's connection to one namespace. It connects by itself when it
 * is made, and again after every loss, until it is closed.
 *
 * Every function may be called from any thread, also while an event is handled; none waits for the network unless it suspends.
 * What the library refuses is an [ImException], after [close] an [ImClosedException].
 *
 * The values that are sent are null, strings, numbers, booleans, byte arrays (at most 10 in a call), lists and maps of those,
 * `JsonElement`s, instances of `@Serializable` classes, and [JsonText].
 *
 * A client that is forgotten rather than closed is given back by the garbage collector, unless somebody collects its events,
 * handles them or waits for an answer.
 */
public class ImClient(
    options: ImOptions,
) : AutoCloseable {
    private val session = Session(Library.native, options)
    private val native = session.native
    private val handle = session.handle
    private val nsp = options.nsp
    private val hasStore = options.store != null
    private val forgotten = Forgotten.watch(this, session::destroy)

    /** As the other constructor: `ImClient(root, "chat") { query("token" to "t", "userId" to "111") }`. */
    @JvmOverloads
    public constructor(
        root: String,
        nsp: String,
        configure: ImOptions.() -> Unit = {},
    ) : this(ImOptions(root, nsp).apply(configure))

    /**
     * Events of these names (none: all), in the order in which they came; an IM event by its name on the wire or its constant.
     *
     * Each collector gets all of them from the start of its collection on, and what had come in the 10 s before, but no other
     * collector had taken (the newest 1 MiB). The server is told that a message was delivered when the collectors have returned from it. A
     * collector that is slow delays the others and, in the end, the server, but no answer to a request. The flow ends when the
     * client is closed.
     */
    public fun events(vararg names: String): Flow<Event> = EventFlow(this, session, names.asList())

    /**
     * Has a handler called with each of these events, one after another, in the context that the options say. What it throws
     * goes to that context's `CoroutineExceptionHandler`, and the next event comes. Ends with the subscription or the client.
     */
    public fun on(
        vararg names: String,
        handler: suspend (Event) -> Unit,
    ): Subscription {
        val subscriber = session.subscribe(names.asList())
        return Subscription(
            session.launch(subscriber) {
                handler(it)
                keepAlive()
            },
        )
    }

    /** [on] for Java: the listener may block, which delays this client's other listeners not at all. */
    public fun addListener(
        name: String,
        listener: EventListener,
    ): Subscription = on(name) { listener.onEvent(it) }

    /**
     * Sends an event. Before the connection is up it waits, and goes out once, in order; an [ImQueueFullException] where too much
     * waits already.
     */
    public fun emit(
        event: String,
        vararg values: Any?,
    ) {
        emit(event, values, flags = 0)
    }

    /** As [emit], but dropped unless it can go out at once. */
    public fun emitVolatile(
        event: String,
        vararg values: Any?,
    ) {
        emit(event, values, EMIT_VOLATILE)
    }

    /**
     * Sends an event and waits for the server's acknowledgement, whose [Event.args] are the answer's. Without a timeout the
     * option `ackTimeout` counts. A canceled wait cancels the request; what went out is not taken back.
     *
     * @throws ImTimeoutException if no answer came in time
     * @throws ImDisconnectedException if the connection was lost before the answer
     * @throws ImCanceledException if the client was closed
     */
    public suspend fun emitWithAck(
        event: String,
        vararg values: Any?,
        timeout: Duration? = null,
    ): Event {
        val name = event.utf8("event")
        val arguments = Arguments(values)
        val limit = millisecondsOf(timeout)
        return answer { native.emitWithAck(handle, name, arguments.json, arguments.blobs, limit) }
    }

    /** [emitWithAck] for Java. Canceling the future cancels the request. */
    public fun emitWithAckAsync(
        event: String,
        vararg values: Any?,
    ): CompletableFuture<Event> = future { emitWithAck(event, *values) }

    /**
     * Sends a message and waits until the server has stored it; gives the `to_ack`, whose [payload] is the stored message. It
     * is sent again after a lost connection. Without a timeout the option `messageTimeout` counts. A canceled wait drops the
     * message.
     *
     * @throws ImRefusedException if the server refused it
     * @throws ImTimeoutException if no answer came in time; it may have been stored
     * @throws ImCanceledException if the client was closed
     */
    public suspend fun sendMessage(
        message: Message,
        timeout: Duration? = null,
    ): Event = send(message, timeout)

    /** As the other [sendMessage], for a message with fields of its own. */
    public suspend fun sendMessage(
        message: JsonText,
        timeout: Duration? = null,
    ): Event = send(message, timeout)

    /** [sendMessage] for Java. Canceling the future drops the message. */
    public fun sendMessageAsync(message: Message): CompletableFuture<Event> = future { sendMessage(message) }

    /** As the other [sendMessageAsync], for a message with fields of its own. */
    public fun sendMessageAsync(message: JsonText): CompletableFuture<Event> = future { sendMessage(message) }

    /** Waits until what was emitted before has gone out. */
    public suspend fun flush(timeout: Duration = 10.seconds) {
        val limit = millisecondsOf(timeout)
        // No child of the caller: the library's wait can't be canceled, but who waits for it can.
        CoroutineScope(Dispatchers.IO).async { native.check(native.flush(handle, limit)) }.await()
    }

    /** Drops what has not gone out; gives how many packets that were. */
    public fun clearSendBuffer(): Long = native.check(native.clearSendBuffer(handle))

    /** Connects, if that is not so already: after [disconnect], or with the option `autoConnect` false. */
    public fun connect() {
        native.check(native.open(handle))
    }

    /**
     * Disconnects, until [connect]. What is unsent, and messages without an answer, wait for that, or are dropped with those
     * that wait for answers.
     */
    @JvmOverloads
    public fun disconnect(dropUnsent: Boolean = false) {
        native.check(if (dropUnsent) native.destroySocket(handle) else native.close(handle))
    }

    /** What the client does about its connection. */
    public val state: State
        get() = State.of(native.check(native.state(handle)))

    /** The Socket.IO id of the connection; null while there is none. */
    public val socketId: String?
        get() = native.socketId(handle) ?: failureBut(Statuses.ERROR_DISCONNECTED)

    /** What goes on: url, transport, counters, queues … `docs/reference/info.md` of the project has the fields. */
    public fun info(): JsonObject =
        ImJson.parseToJsonElement(native.info(handle) ?: throw exceptionOf(native.lastStatus(), native.lastError())).jsonObject

    /** The auth of the next connection, an object; null for none. */
    public fun setAuth(auth: Any?) {
        native.check(native.setAuth(handle, auth?.let { elementOf(it, "auth").toString().terminated("auth") }))
    }

    /** The query of the next connection, an object, in place of the one before. */
    public fun setQuery(query: Any) {
        native.check(native.setQuery(handle, queryOf(query, nsp).toString().terminated("query")))
    }

    /** Tells that the device is on another network: the connection is checked at once. */
    public fun networkChanged() {
        native.check(native.networkChanged(handle))
    }

    /** Tells that the app goes to the background: no lost connection is made anew before [foreground]. May wait for the disk. */
    public fun background() {
        native.check(native.background(handle))
    }

    /** Tells that the app is back: the connection is checked, or made anew at once. May wait for the disk. */
    public fun foreground() {
        native.check(native.foreground(handle))
    }

    /**
     * Ends the client. Flows end, handlers are canceled, who waits for an answer gets an [ImCanceledException]; what is unsent
     * is dropped ([flush] first). May be called anywhere, also in a handler, and again.
     */
    override fun close() {
        forgotten.run()
    }

    private fun emit(
        event: String,
        values: Array<out Any?>,
        flags: Int,
    ) {
        val arguments = Arguments(values)
        native.check(native.emit(handle, event.utf8("event"), arguments.json, arguments.blobs, flags))
    }

    private suspend fun send(
        message: Any,
        timeout: Duration?,
    ): Event {
        val json = elementOf(message, "message").toString().terminated("message")
        val limit = millisecondsOf(timeout)
        val start = { native.sendMessage(handle, json, limit) }
        // With a store this waits for the disk: not on the caller's thread.
        return if (hasStore) withContext(Dispatchers.IO) { answer(start) } else answer(start)
    }

    private suspend fun answer(request: () -> Long): Event {
        currentCoroutineContext().ensureActive()
        val outcome =
            suspendCancellableCoroutine { continuation ->
                val id = native.check(request())
                continuation.invokeOnCancellation { native.cancel(handle, id) }
                session.requests.await(id, this, continuation)
            }
        return outcome.reply.takeIf { outcome.status == Statuses.OK } ?: throw exceptionOf(outcome.status, reply = outcome.reply)
    }

    private fun future(call: suspend () -> Event): CompletableFuture<Event> =
        CoroutineScope(session.scope.coroutineContext + Job()).future(start = CoroutineStart.UNDISPATCHED) { call() }

    private fun failureBut(expected: Int): String? {
        val status = native.lastStatus()
        return if (status == expected) null else throw exceptionOf(status, native.lastError())
    }

    /** Until here the client is not forgotten. */
    internal fun keepAlive(): Any = forgotten

    private companion object {
        /** In the library 0 is "no timeout". */
        fun millisecondsOf(timeout: Duration?): Long {
            if (timeout != null &&
                timeout <= Duration.ZERO
            ) {
                throw argumentException("the argument \"timeout\" is not positive: $timeout")
            }
            return timeout?.inWholeMilliseconds?.coerceAtLeast(1) ?: 0
        }
    }
}
