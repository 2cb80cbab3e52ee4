package im.client

import im.client.internal.Library
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Bad input: the behaviours of bindings/behaviours.json that are errors, in their order. */
class MatrixErrorTest {
    @Test
    fun matrixErrorUnknownOption() {
        val error = assertThrows<ImArgumentException> { ImClient("http://127.0.0.1:1", "/") { this["reconection"] = true } }
        assertEquals(Statuses.ERROR_OPTION to "IM_ERROR_OPTION", error.status to error.statusName)
        assertTrue("\"reconection\"" in error.message!! && "\"reconnection\"" in error.message!!, error.message)
    }

    @Test
    fun matrixErrorWrongType() =
        story {
            val error = assertThrows<ImArgumentException> { ImClient("http://127.0.0.1:1", "/") { this["timeout"] = "soon" } }
            assertEquals(Statuses.ERROR_OPTION, error.status)
            assertTrue("\"timeout\"" in error.message!!, error.message)
            client(Server.shared(4)).use { client ->
                val wrong = assertThrows<ImArgumentException> { client.emit("echo", 1, mapOf("a" to Any())) }
                assertTrue("argument 2[a]" in wrong.message!! && "java.lang.Object" in wrong.message!!, wrong.message)
                val circle = ArrayList<Any>().apply { add(this) }
                val endless = assertThrows<ImArgumentException> { client.emit("echo", circle) }
                assertTrue("nested too deep" in endless.message!!, endless.message)
                val generic = assertThrows<ImArgumentException> { client.emit("echo", 1 to 2) }
                assertTrue("encodeToJsonElement" in generic.message!!, generic.message)
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixErrorInvalidJson(generation: Int) =
        story {
            client(Server.shared(generation)).connected().use { client ->
                for (text in listOf("{", "1,2", "nul", "", "{\"a\":}", "'a'")) {
                    val error = assertThrows<ImArgumentException>(text) { client.emit("echo", JsonText(text)) }
                    assertEquals(Statuses.ERROR_JSON, error.status, text)
                }
                assertThrows<ImArgumentException> { client.emit("echo", Double.NaN) }
                assertEquals(Statuses.ERROR_UTF8, assertThrows<ImArgumentException> { client.emit("echo", "\ud800") }.status)
                client.emit("echo", "good")
                assertEquals("good", client.next("echo").decode<String>())
            }
        }

    @Test
    fun matrixErrorClosedClient() =
        story {
            val client = client(Server.shared(4)).connected()
            val flow = client.events("echo")
            client.close()
            client.close()
            val calls =
                listOf<suspend () -> Any?>(
                    { client.emit("echo", 1) },
                    { client.emitVolatile("echo", 1) },
                    { client.emitWithAck("echo", 1) },
                    { client.sendMessage(Message("a", "b", "c")) },
                    { client.flush() },
                    { client.clearSendBuffer() },
                    { client.connect() },
                    { client.disconnect() },
                    { client.disconnect(dropUnsent = true) },
                    { client.state },
                    { client.socketId },
                    { client.info() },
                    { client.setAuth(null) },
                    { client.setQuery(emptyMap<String, String>()) },
                    { client.networkChanged() },
                    { client.background() },
                    { client.foreground() },
                    { client.on("echo") {} },
                    { flow.first() },
                )
            calls.forEachIndexed { i, call ->
                val error = runCatching { call() }.exceptionOrNull()
                assertTrue(error is ImClosedException && error.statusName == "IM_ERROR_HANDLE", "call $i: $error")
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixErrorTimeout(generation: Int) =
        story {
            client(Server.shared(generation)).connected().use { client ->
                val error = runCatching { client.emitWithAck("silent", 1, timeout = 20.milliseconds) }.exceptionOrNull()
                assertTrue(error is ImTimeoutException && error.statusName == "IM_ERROR_TIMEOUT", "$error")
                val wrong = runCatching { client.emitWithAck("silent", timeout = 0.seconds) }.exceptionOrNull()
                assertTrue(wrong is ImArgumentException, "$wrong")
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixErrorCanceled(generation: Int) =
        story {
            val client = client(Server.shared(generation)).connected()
            val waiting = launch { client.emitWithAck("silent", 1) }
            client.untilPending(1)
            waiting.cancel()
            waiting.join()
            client.untilPending(0)
            val timeout = runCatching { withTimeout(20) { client.emitWithAck("silent", 2) } }.exceptionOrNull()
            assertTrue(timeout is TimeoutCancellationException, "$timeout")
            client.untilPending(0)
            assertEquals("2", client.info()["canceledRequests"].toString())
            // The end of the client is an error of its own, not a cancellation that would pass for the caller's.
            val left = async { runCatching { client.emitWithAck("silent", 3) }.exceptionOrNull() }
            client.untilPending(1)
            client.close()
            val error = left.await()
            assertTrue(error is ImCanceledException && error.status == Statuses.ERROR_CANCELED, "$error")
        }

    private suspend fun ImClient.untilPending(count: Int) {
        while (info()["pendingRequests"] != JsonPrimitive(count)) delay(1)
    }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixErrorThrowingCallback(generation: Int) =
        story {
            val reported = Channel<Throwable>(Channel.UNLIMITED)
            val handled = Channel<Int>(Channel.UNLIMITED)
            val options = ImOptions(Server.shared(generation).root, "/")
            options.context = Dispatchers.Default + CoroutineExceptionHandler { _, e -> reported.trySend(e) }
            ImClient(options).use { client ->
                client.on("burst") {
                    if (it.json == "0") throw IllegalStateException("on purpose")
                    if (it.json == "1") throw AssertionError("an error too")
                    if (it.json == "2") withTimeout(1) { delay(10_000) }
                    handled.send(it.decode())
                }
                client.emit("burst", 4)
                assertEquals(3, handled.receive())
                assertEquals("on purpose", reported.receive().message)
                assertEquals("an error too", reported.receive().message)
                assertTrue(reported.receive() is TimeoutCancellationException)
            }
        }

    @Test
    fun matrixErrorInFinalizer() =
        story {
            val before = ImLibrary.clientCount
            repeat(5) { client(Server.shared(4)).connected() }
            while (ImLibrary.clientCount > before) {
                System.gc()
                delay(10)
            }
            val result = JavaProgram.run(CallsFromAFinalizer::class, Server.shared(4).root)
            assertEquals("the finalizer was refused: IM_ERROR_HANDLE" to 0, result.output.trim() to result.status)
        }

    @Test
    fun matrixErrorOtherVersion() {
        val error = assertThrows<ImLibraryException> { Library.check(Library.native, 90_000) }
        assertEquals(Statuses.ERROR_VERSION to "IM_ERROR_VERSION", error.status to error.statusName)
        assertTrue("9.0.0" in error.message!! && ImLibrary.version in error.message!!, error.message)
        Library.check(Library.native, HEADER_VERSION)
        assertFalse(ImLibrary.version.isEmpty())
    }
}
