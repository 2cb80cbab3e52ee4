package im.client

import im.client.internal.Inbox
import im.client.internal.Library
import im.client.internal.Native
import im.client.internal.Platform
import im.client.internal.Polled
import im.client.internal.Session
import im.client.internal.Subscriber
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.util.concurrent.CancellationException
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ExecutionException
import java.util.logging.Handler
import java.util.logging.LogRecord
import java.util.logging.Logger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ClientTest {
    @Serializable
    private data class Point(
        val x: Int,
        val label: String? = null,
    )

    @Test
    fun serializableValuesGoBothWays() =
        story {
            client(Server.shared(4)).use { client ->
                assertEquals(Point(1, "é"), client.emitWithAck("echo", Point(1, "é")).decode<Point>())
                val nested = client.emitWithAck("echo", mapOf("points" to listOf(Point(1), Point(2)), "big" to (1L shl 53) - 1))
                assertEquals("""{"points":[{"x":1},{"x":2}],"big":9007199254740991}""", nested.json)
                assertThrows(kotlinx.serialization.SerializationException::class.java) { nested.decode<Point>() }
            }
        }

    @Test
    fun aFutureIsAnsweredAndCanceled() {
        client(Server.shared(4)).use { client ->
            assertEquals("5", client.emitWithAckAsync("echo", 5).get().json)
            val waiting = client.emitWithAckAsync("silent")
            while ("1" != client.info()["pendingRequests"].toString()) Thread.sleep(1)
            waiting.cancel(true)
            while ("0" != client.info()["pendingRequests"].toString()) Thread.sleep(1)
            assertThrows(CancellationException::class.java) { waiting.get() }
            val ended = client.emitWithAckAsync("silent")
            client.close()
            val error = assertThrows(ExecutionException::class.java) { ended.get() }
            assertTrue(error.cause is ImException, "$error")
        }
    }

    @Test
    fun timeoutsWithoutEndAreTaken() =
        story {
            client(Server.shared(4)).use { client ->
                assertEquals("1", client.emitWithAck("echo", 1, timeout = Duration.INFINITE).json)
                client.flush(1.seconds)
                assertEquals(0, client.clearSendBuffer())
            }
        }

    /** The library's own wait goes on; the caller's ends. */
    @Test
    fun aFlushCanBeCanceled() =
        story {
            client(Server.shared(4)) { autoConnect = false }.use { client ->
                client.emit("echo", 1)
                assertNull(withTimeoutOrNull(20) { client.flush(1.days) })
                val flushing = async(start = CoroutineStart.UNDISPATCHED) { runCatching { client.flush(1.days) } }
                client.close()
                assertTrue(flushing.await().exceptionOrNull() is ImClosedException)
            }
        }

    @Test
    fun whatIsUnsentCanBeDropped() =
        story {
            client(Server.shared(4)) { autoConnect = false }.use { client ->
                client.emit("echo", 1)
                client.emitVolatile("echo", 2)
                assertEquals(1, client.clearSendBuffer())
                client.emit("echo", 3)
                client.disconnect(dropUnsent = true)
                client.connect()
                assertEquals("4", client.emitWithAck("echo", 4).json)
                assertEquals("1", client.info()["droppedVolatile"].toString())
            }
        }

    @Test
    fun aFullQueueAndTooManyBlobsAreErrors() {
        client(Server.shared(4)) {
            autoConnect = false
            sendQueueBytes = 1024
        }.use { client ->
            client.emit("echo", "x".repeat(900))
            assertThrows(ImQueueFullException::class.java) { client.emit("echo", "x".repeat(900)) }
            for (count in listOf(11, 100)) {
                val blobs = Array<Any?>(count) { byteArrayOf(1) }
                assertThrows(ImArgumentException::class.java) { client.emit("echo", *blobs) }
            }
        }
    }

    @Test
    fun aLostConnectionEndsARequest() =
        story {
            Server.socketio(4).use { server ->
                client(server).connected().use { client ->
                    val waiting = client.emitWithAckAsync("silent")
                    while ("1" != client.info()["pendingRequests"].toString()) delay(1)
                    client.flush()
                    server.post("/control/drop")
                    val error = assertThrows(ExecutionException::class.java) { waiting.get() }
                    assertTrue(error.cause is ImDisconnectedException, "$error")
                }
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun credentialsAreAskedForBeforeEachConnection(generation: Int) =
        story {
            var attempts = 0
            client(Server.shared(generation)) {
                query("fixed" to "gone")
                askQuery {
                    delay(5)
                    mapOf("token" to "t${++attempts}")
                }
                askAuth { mapOf("secret" to attempts) }
            }.use { client ->
                assertEquals("t1", query(client)["token"]!!.jsonPrimitive.content)
                client.disconnect()
                client.next(Events.DISCONNECT)
                client.connect()
                assertEquals("t2", query(client)["token"]!!.jsonPrimitive.content)
                assertNull(query(client)["fixed"])
            }
        }

    @Test
    fun aProviderThatFailsIsReportedAndChangesNothing() =
        story {
            val reported = CompletableDeferred<Throwable>()
            client(Server.shared(4)) {
                query("token" to "old")
                askQuery { error("no token today") }
                context = Dispatchers.Default + CoroutineExceptionHandler { _, e -> reported.complete(e) }
            }.use { client ->
                assertEquals("old", query(client)["token"]!!.jsonPrimitive.content)
                assertEquals("no token today", reported.await().message)
            }
        }

    /** The connection would wait for an answer until its timeout. */
    @Test
    fun whatAProviderMayNotGiveIsReportedAndChangesNothing() =
        story {
            for (wrong in listOf(listOf("no", "object"), "text", mapOf("token" to "half \ud800"))) {
                val reported = CompletableDeferred<Throwable>()
                client(Server.shared(4)) {
                    query("token" to "old")
                    askQuery { wrong }
                    timeout = 1.days
                    context = Dispatchers.Default + CoroutineExceptionHandler { _, e -> reported.complete(e) }
                }.use { client ->
                    assertEquals("old", query(client)["token"]!!.jsonPrimitive.content)
                    assertTrue(reported.await() is ImArgumentException)
                }
            }
        }

    @Test
    fun credentialsCanBeSet() =
        story {
            client(Server.shared(4)) { autoConnect = false }.use { client ->
                client.setQuery(mapOf("token" to "new"))
                client.setAuth(mapOf("a" to 1))
                client.connect()
                assertEquals("new", query(client)["token"]!!.jsonPrimitive.content)
                assertTrue(runCatching { client.setQuery(listOf(1)) }.exceptionOrNull() is ImArgumentException)
                assertTrue(runCatching { client.setAuth("text") }.exceptionOrNull() is ImArgumentException)
                client.setAuth(null)
            }
        }

    private suspend fun query(client: ImClient): JsonObject =
        client
            .emitWithAck("handshake")
            .element.jsonObject["query"]!!
            .jsonObject

    @Test
    fun optionsAreWhatTheySay() {
        val options =
            ImOptions("http://h", "chat").apply {
                query("token" to "t").query("userId", 111)
                reconnectionDelay = 1500.milliseconds
                transports = listOf("polling")
                messageTimeout = null
                this["futureOption"] = mapOf("a" to 1)
            }
        val json = ImJson.parseToJsonElement(options.toJson()).jsonObject
        assertEquals(JsonPrimitive(1500), json["reconnectionDelay"])
        assertEquals("null", json["messageTimeout"].toString())
        assertEquals(
            "polling",
            json["transports"]!!
                .jsonArray
                .single()
                .jsonPrimitive.content,
        )
        assertEquals("""{"token":"t","userId":111}""", json["query"].toString())
        assertEquals("manual", json["delivery"]!!.jsonPrimitive.content)
        assertEquals(listOf("polling"), options.transports)
        assertNull(options.timeout)
    }

    /** As on Android: a phone says what it is, unless it is told otherwise, and in chat alone. */
    @Test
    fun aPhoneNamesItself() {
        val agent = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/X)"
        withProperties("java.vendor" to "The Android Project", "http.agent" to agent) {
            assertEquals(agent, Platform.deviceType)
            val (chat, sso) = listOf("/chat", "sso").map { queryOf(mapOf("a" to 1), it).jsonObject }
            assertEquals(agent, chat["deviceType"]!!.jsonPrimitive.content)
            assertFalse("deviceType" in sso)
            assertEquals("x", queryOf(mapOf("deviceType" to "x"), "chat").jsonObject["deviceType"]!!.jsonPrimitive.content)
            assertTrue(agent in ImOptions("http://h", "chat").toJson())
        }
        withProperties(
            "java.vendor" to "The Android Project",
            "http.agent" to "",
        ) { assertEquals("Android", Platform.deviceType) }
        assertNull(Platform.deviceType)
    }

    private fun withProperties(
        vararg properties: Pair<String, String>,
        test: () -> Unit,
    ) {
        val before = properties.map { (name, _) -> name to System.getProperty(name) }
        properties.forEach { (name, value) -> System.setProperty(name, value) }
        try {
            test()
        } finally {
            before.forEach { (name, value) -> if (value == null) System.clearProperty(name) else System.setProperty(name, value) }
        }
    }

    @Test
    fun theLogGoesToAFunction() =
        story {
            val lines = ConcurrentLinkedQueue<Pair<LogLevel, String>>()
            val threads = ConcurrentLinkedQueue<Thread>()
            val reported =
                reportsOf { reports ->
                    ImLibrary.setLog(LogLevel.TRACE) { level, line ->
                        lines += level to line
                        threads += Thread.currentThread()
                        error("on purpose")
                    }
                    client(Server.shared(4)) { query("token" to "TOPSECRET") }.connected().close()
                    // A line is reported after it was taken: whoever waited for the line alone might be gone by then.
                    while (reports.isEmpty() || lines.none { (level, _) -> level == LogLevel.INFO }) delay(1)
                    ImLibrary.setLog(LogLevel.OFF, null)
                }
            assertEquals(emptyList<Any>(), lines.filter { (_, line) -> "TOPSECRET" in line })
            assertEquals(emptyList<Any>(), threads.filterNot { it.isDaemon })
            assertEquals(setOf<String?>("on purpose"), reported.map { it.thrown.message }.toSet())
        }

    @Test
    fun withoutAnExceptionHandlerFailuresAreLogged() =
        story {
            val handled = CompletableDeferred<Unit>()
            val reported =
                reportsOf {
                    client(Server.shared(4)).connected().use { client ->
                        client.on("burst") { if (it.json == "0") error("in a handler") else handled.complete(Unit) }
                        client.emit("burst", 2)
                        handled.await()
                    }
                }
            assertEquals(listOf("in a handler"), reported.map { it.thrown.message })
        }

    /** What is said to the package's logger meanwhile. */
    private suspend fun reportsOf(block: suspend (Collection<LogRecord>) -> Unit): Collection<LogRecord> {
        val logger = Logger.getLogger("im.client")
        val records = ConcurrentLinkedQueue<LogRecord>()
        val handler =
            object : Handler() {
                override fun publish(record: LogRecord) {
                    records += record
                }

                override fun flush() = Unit

                override fun close() = Unit
            }
        logger.addHandler(handler)
        logger.useParentHandlers = false
        try {
            block(records)
        } finally {
            logger.removeHandler(handler)
            logger.useParentHandlers = true
        }
        return records
    }

    @Test
    fun everyFailureHasItsException() {
        val failures = Statuses::class.java.declaredFields.filter { it.name.startsWith("ERROR_") }
        assertTrue(failures.size > 15)
        for (field in failures) {
            val error = exceptionOf(field.getInt(null))
            assertEquals("IM_${field.name}", error.statusName)
            assertTrue(error.message!!.endsWith("(IM_${field.name})"), error.message)
        }
    }

    @Test
    fun onADesktopThereIsNoAndroid() {
        assertEquals(Statuses.ERROR_UNSUPPORTED, assertThrows(ImException::class.java) { ImAndroid.init(Any()) }.status)
    }

    /** Else the server would go on talking to nobody. */
    @Test
    fun aClientWhoseThreadFailsIsClosed() =
        story {
            val failing =
                object : Native by Library.native {
                    override fun poll(
                        client: Long,
                        outcomesOnly: Boolean,
                    ): Polled = error("on purpose")
                }
            val session = Session(failing, ImOptions(Server.shared(4).root, "/"))
            while (failing.state(session.handle) >= 0) delay(1)
        }

    @Test
    fun javaIsAtHome() {
        val expected =
            listOf(
                """[1,{"a":[true]},[null]]""",
                """["é😀\u0000",{"_placeholder":true,"num":0}]""",
                "IM_ERROR_INVALID_ARGUMENT",
                "111@222",
            )
        assertEquals(expected, JavaUser.run(Server.shared(4).root))
    }

    @Test
    fun allClientsCanBeShutDown() {
        val result = JavaProgram.run(ShutDown::class, Server.shared(4).root)
        assertEquals("0 clients; refused: IM_ERROR_CANCELED; again: [1]" to 0, result.output.trim() to result.status)
    }

    @Test
    fun aLibraryThatIsNotThereIsAnErrorThatSaysSo() {
        val result = JavaProgram.run(WithoutALibrary::class)
        assertTrue("libim_client can't be loaded" in result.output && "/nowhere/" in result.output, result.output)
        assertEquals(0, result.status)
    }

    /** As many as there is room for, and no longer than they are news. */
    @Test
    fun earlyEventsAreBounded() {
        var now = 0L
        val released = ArrayList<Pair<Long, Boolean>>()
        val inbox = Inbox({ pointer, seen -> released += pointer to seen }, {}, now = { now })
        repeat(5000) { inbox.put(event("early"), it.toLong()) }
        assertEquals(released.indices.map { it.toLong() to false }, released)
        assertTrue(released.size in 900..1000, "${released.size}")
        now = 10_000_000_000
        val subscriber = inbox.subscribe(listOf("early"))!!
        assertTrue(subscriber.waiting.tryReceive().isFailure)
        assertEquals(5000, released.size)
        inbox.put(event("early"), 100)
        inbox.unsubscribe(subscriber)
        inbox.end()
        assertEquals(100L to false, released.last())
        assertNull(inbox.subscribe(emptyList()))
    }

    /** An event that was on its way to a collector that ended goes to one that has begun since. */
    @Test
    fun anEventForAnEndedCollectorGoesToTheNext() =
        story {
            val inbox = Inbox({ _, _ -> }, {})
            val witness = inbox.subscribe(listOf("news"))!!
            val ended = inbox.subscribe(listOf("news"))!!
            val next = CompletableDeferred<Subscriber>()
            // On the thread that puts the event, after it has looked for collectors and before it comes to the second.
            launch(Dispatchers.Unconfined) {
                val delivery = witness.waiting.receive()
                inbox.unsubscribe(ended)
                inbox.unsubscribe(witness)
                next.complete(inbox.subscribe(listOf("news"))!!)
                inbox.done(delivery, seen = false)
            }
            inbox.put(event("news"), 7)
            val delivery = next.await().waiting.tryReceive()
            assertEquals(7L, delivery.getOrNull()?.pointer)
            inbox.end()
        }
}
