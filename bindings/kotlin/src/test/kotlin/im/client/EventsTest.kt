package im.client

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.decodeFromJsonElement
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds

class EventsTest {
    @Test
    fun severalNamesAreOneFlowInOrder() =
        story {
            client(Server.shared(4)).connected().use { client ->
                val all = async(start = CoroutineStart.UNDISPATCHED) { client.events("burst", "echo").take(6).toList() }
                client.emit("burst", 2)
                client.emit("echo", "a")
                client.emit("burst", 2)
                client.emit("echo", "b")
                assertEquals(listOf("0", "1", "\"a\"", "0", "1", "\"b\""), all.await().map { it.json })
            }
        }

    @Test
    fun withoutANameEveryEventComes() =
        story {
            client(Server.shared(4)).use { client ->
                client.emit("echo", 1)
                assertEquals(
                    listOf("connect", "echo"),
                    client
                        .events()
                        .take(2)
                        .map { it.name }
                        .toList(),
                )
            }
        }

    @Test
    fun whatAServerForgesIsItsOwn() =
        story {
            client(Server.shared(4)).use { client ->
                client.emit("tell", Events.OUTBOX, mapOf("fp" to "f1"))
                val came = client.events(Events.CONNECT, Events.OUTBOX).take(2).toList()
                assertEquals(listOf(Events.CONNECT to true, Events.OUTBOX to false), came.map { it.name to it.isLocal })
            }
        }

    @Test
    fun whatACollectorHasNotTakenWaitsForTheNext() =
        story {
            client(Server.shared(4)).connected().use { client ->
                client.emit("burst", 60)
                val one = List(30) { client.next("burst").decode<Int>() }
                val rest =
                    client
                        .events("burst")
                        .take(30)
                        .map { it.decode<Int>() }
                        .toList()
                assertEquals((0 until 60).toList(), one + rest)
            }
        }

    /** More than the C library keeps of what nobody has asked for. */
    @Test
    fun thousandEventsAreTakenOneByOne() =
        story {
            client(Server.shared(4)).connected().use { client ->
                client.emit("burst", 1000)
                assertEquals((0 until 1000).toList(), List(1000) { client.next("burst").decode<Int>() })
            }
        }

    /** The constant and the name on the wire are one event. */
    @Test
    fun anImEventHasTwoNames() =
        story {
            client(Server.shared(4)).connected().use { client ->
                client.emit("tell", "CHAT_MESSAGE", 1)
                assertEquals("CHAT_MESSAGE", client.next(Events.CHAT_MESSAGE).name)
                client.emit("tell", "c_message", 2)
                assertEquals("c_message", client.next("CHAT_MESSAGE").name)
            }
        }

    /** Far more than the inbox holds arrives while its collector waits for an answer, which comes all the same. */
    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun aSlowCollectorHoldsUpNoAnswer(generation: Int) =
        story {
            client(Server.shared(generation)).connected().use { client ->
                var next = 0
                val all =
                    async(start = CoroutineStart.UNDISPATCHED) {
                        client.events("flood").take(4000).collect {
                            assertEquals(
                                next++,
                                it.args
                                    .substringAfter("\"i\":")
                                    .takeWhile(Char::isDigit)
                                    .toInt(),
                            )
                            if (next % 1000 == 0) assertEquals("7", client.emitWithAck("echo", 7).json)
                        }
                    }
                val pad = "x".repeat(1000)
                repeat(4000) { client.emit("tell", "flood", mapOf("i" to it, "pad" to pad)) }
                all.await()
                assertEquals(4000, next)
            }
        }

    /** Nothing is lost where nothing is taken: the library stops reading, and goes on when there is room. */
    @Test
    fun whatNobodyTakesStopsTheServer() =
        story {
            val server = Server.shared(4)
            client(server) { receiveQueueBytes = 64 * 1024 }.connected().use { client ->
                client(server).connected().use { other ->
                    val gate = CompletableDeferred<Unit>()
                    val seen = AtomicInteger()
                    val all =
                        async(start = CoroutineStart.UNDISPATCHED) {
                            client.events("flood").take(3000).collect {
                                gate.await()
                                assertEquals(seen.getAndIncrement(), it.decode<List<Int>>().first())
                            }
                        }
                    val id = client.socketId
                    val pad = List(500) { 1000 }
                    repeat(3000) { other.emit("relay", id, "flood", listOf(it) + pad) }
                    while (!receiveQueue(client).full) delay(1)
                    other.emitWithAck("echo", "all is sent")
                    assertTrue(receiveQueue(client).bytes < 96 * 1024)
                    assertEquals(0, seen.get())
                    gate.complete(Unit)
                    all.await()
                    assertEquals(id, client.socketId)
                }
            }
        }

    @Serializable
    private data class ReceiveQueue(
        val events: Int,
        val bytes: Int,
        val full: Boolean,
    )

    private fun receiveQueue(client: ImClient): ReceiveQueue = Json.decodeFromJsonElement(client.info().getValue("receiveQueue"))

    @Test
    fun aHandlerMaySuspendAndEnds() =
        story {
            client(Server.shared(4)).connected().use { client ->
                val seen = Channel<Int>(Channel.UNLIMITED)
                val subscription =
                    client.on("burst") {
                        delay(1.milliseconds)
                        seen.send(it.decode())
                    }
                client.emit("burst", 20)
                assertEquals((0 until 20).toList(), List(20) { seen.receive() })
                subscription.close()
                client.emit("burst", 1)
                client.emitWithAck("echo", "after")
                assertTrue(seen.tryReceive().isFailure)
            }
        }

    @Test
    fun aJavaListenerMayBlock() =
        story {
            client(Server.shared(4)).connected().use { client ->
                val seen = CopyOnWriteArrayList<String>()
                val done = CompletableDeferred<Unit>()
                client.addListener("burst") {
                    seen += client.emitWithAckAsync("echo", it.element).get().json
                    if (seen.size == 5) done.complete(Unit)
                }
                client.emit("burst", 5)
                done.await()
                assertEquals(List(5) { "$it" }, seen)
            }
        }

    /** Where somebody asks for it by its name the library tells of heartbeats. */
    @Test
    fun pingsCome() =
        story {
            Server.socketio(4, "--ping-interval", "50").use { server ->
                client(server).use { client -> assertNotNull(client.next(Events.PING).element) }
            }
        }

    /** Without a dispatcher a collector runs on the client's own thread, where everything works but blocking. */
    @Test
    fun anUnconfinedCollectorMayCloseTheClient() =
        story {
            val client = client(Server.shared(4)).connected()
            val done = CompletableDeferred<String>()
            launch(Dispatchers.Unconfined) {
                client.events("echo").collect {
                    client.close()
                    done.complete(it.json)
                }
            }
            client.emit("echo", 1)
            assertEquals("1", done.await())
        }

    @Test
    fun aCanceledCollectorLosesNothing() =
        story {
            client(Server.shared(4)).connected().use { client ->
                repeat(50) { round ->
                    val first = CopyOnWriteArrayList<Int>()
                    val collector = launch(Dispatchers.Default) { client.events("burst").collect { first += it.decode<Int>() } }
                    client.emit("burst", 20)
                    if (round % 2 == 0) client.emitWithAck("echo", round)
                    collector.cancel()
                    collector.join()
                    val rest =
                        withContext(Dispatchers.Default) {
                            if (first.size == 20) emptyList() else client.events("burst").take(20 - first.size).toList()
                        }
                    assertEquals((0 until 20).toList(), first + rest.map { it.decode<Int>() }, "round $round")
                }
            }
        }

    /** Who collects a client's events, or handles them, has not forgotten it. */
    @Test
    fun aClientThatIsListenedToIsKept() =
        story {
            val server = Server.shared(4)
            val seen = Channel<String>(Channel.UNLIMITED)
            val name = "only ${System.nanoTime()}"
            val collector =
                launch(Dispatchers.Default) { client(server).connected().events(name).collect { seen.send("collected") } }
            client(server).connected().on(name) { seen.send("handled") }
            client(server).connected().use { other ->
                repeat(20) {
                    System.gc()
                    delay(5)
                }
                other.emit("tell_all", name, 1)
                assertEquals(setOf("collected", "handled"), setOf(seen.receive(), seen.receive()))
            }
            collector.cancel()
        }

    @Test
    fun anEventOutlivesItsClient() =
        story {
            val event = client(Server.shared(4)).use { it.next(Events.CONNECT) }
            assertEquals("connect", event.name)
            assertEquals("[${event.json}]", event.args)
            assertTrue(runCatching { event.reply(1) }.exceptionOrNull() is ImException)
        }

    @Test
    fun aFlowEndsWithItsClient() =
        story {
            val client = client(Server.shared(4)).connected()
            val all = async(start = CoroutineStart.UNDISPATCHED) { client.events("never").toList() }
            client.close()
            assertEquals(emptyList<Event>(), all.await())
            assertTrue(runCatching { client.events("never").first() }.exceptionOrNull() is ImClosedException)
        }
}
