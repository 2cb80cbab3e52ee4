package im.client

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import kotlin.time.Duration.Companion.milliseconds

/** The behaviours of bindings/behaviours.json, in their order; bad input is in [MatrixErrorTest]. */
class MatrixTest {
    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixConnect(generation: Int) =
        story {
            ImClient(Server.shared(generation).root, "/").use { client ->
                val connect = client.next(Events.CONNECT).element.jsonObject
                assertEquals(if (generation == 2) 3 else 4, connect["protocol"]!!.jsonPrimitive.content.toInt())
                assertEquals("\"websocket\"", connect["transport"].toString())
                assertEquals(State.CONNECTED, client.state)
                assertEquals(connect["sid"]!!.jsonPrimitive.content, client.socketId)
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixReceive(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                client.emit("unicode")
                val unicode = client.next("unicode")
                client.emit("echo", unicode.element)
                assertEquals(unicode.element, client.next("echo").element)
                client.emit("several")
                val several = client.next("several")
                assertEquals("""[1,"two",{"three":3},[4],null]""", several.args)
                assertEquals("1", several.json)
                client.emit("no_args")
                val none = client.next("no_args")
                assertEquals("null" to "[]", none.json to none.args)
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixEmit(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                client.emit("describe", 1, "zwei", mapOf("three" to listOf(3, null, true)), JsonText("""[4.5]"""))
                val described = client.next("described")
                assertEquals("""[1,"zwei",{"three":[3,null,true]},[4.5]]""", described.args)
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixAckFromServer(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                assertEquals("""["hi"]""", client.emitWithAck("echo", "hi").args)
                val answers = List(50) { async { client.emitWithAck("slow_ack", 50 - it, it).decode<Int>() } }
                assertEquals((0 until 50).toList(), answers.map { it.await() })
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixAckToServer(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                val kept = CompletableDeferred<Event>()
                client.on("question") { if (it.json == "1") it.reply("at once", 2) else kept.complete(it) }
                client.emit("ask", 1)
                assertEquals("""["at once",2]""", client.next("answered").args)
                client.emit("ask", 2)
                val question = kept.await()
                assertTrue(question.isQuestion)
                question.reply("later")
                assertEquals("""["later"]""", client.next("answered").args)
                assertEquals(Statuses.ERROR_NOT_FOUND, assertThrows<ImException> { question.reply("again") }.status)
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixBinary(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                val bytes = ByteArray(70_000) { it.toByte() }
                client.emit("echo", mapOf("a" to bytes, "b" to listOf(byteArrayOf(), "x")))
                val echo = client.next("echo")
                assertArrayEquals(bytes, echo.blobs[0])
                assertEquals(0, echo.blobs[1].size)
                val placeholders = """{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1},"x"]}"""
                assertEquals(placeholders, echo.json)
                assertArrayEquals(byteArrayOf(1, 2), client.emitWithAck("echo", byteArrayOf(1, 2)).blobs.single())
                val answering = launch { client.next("question").reply(byteArrayOf(7)) }
                client.emit("ask_binary", 1)
                assertTrue("07" in client.next("described").args)
                answering.join()
            }
        }

    @Test
    fun matrixSendMessage() =
        story {
            for (server in listOf(Server.egg(), Server.imServer())) {
                server.use { server ->
                    chatClient(server, "111").use { sender ->
                        chatClient(server, "222").connected().use { receiver ->
                            val message = Message(from = "111", to = "222", content = "grüß dich 😀")
                            val stored = sender.sendMessage(message).payload<Message>()
                            assertEquals(message.content, stored.content)
                            assertTrue(stored.sequenceId != null && stored.timelineId == "111@222")
                            assertEquals(stored.fp, receiver.next(Events.CHAT_MESSAGE).payload<Message>().fp)
                        }
                    }
                }
            }
        }

    @Test
    fun matrixQrLogin() =
        story {
            Server.egg().use { server ->
                client(server, "sso") { query("device_id", "pc") }.connected().use { client ->
                    server.post("/control/qrlogin", """{"device_id":"pc","code":0,"token":"secret"}""")
                    val login = client.next(Events.SSO_QRLOGIN)
                    assertEquals(
                        "secret",
                        login
                            .envelope()
                            .data.payload!!
                            .jsonObject["token"]!!
                            .jsonPrimitive.content,
                    )
                    client.next(Events.DISCONNECT)
                    assertEquals(State.DISCONNECTED, client.state)
                }
            }
        }

    @Test
    fun matrixKickOut() =
        story {
            Server.egg().use { server ->
                chatClient(server, "111").connected().use { first ->
                    chatClient(server, "111").connected().use { second ->
                        val refusal = first.next(Events.IMERROR).envelope()
                        assertEquals(Codes.OTHER_DEVICE, refusal.code)
                        assertEquals("IM_CODE_OTHER_DEVICE", Codes.nameOf(refusal.code))
                        val end = first.next(Events.DISCONNECT).element.jsonObject
                        assertEquals("false", end["willReconnect"].toString())
                        assertEquals(State.DISCONNECTED, first.state)
                        assertEquals(State.CONNECTED, second.state)
                    }
                }
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixReconnect(generation: Int) =
        story {
            Server.socketio(generation).use { server ->
                client(server) { reconnectionDelay = 10.milliseconds }.connected().use { client ->
                    server.post("/control/stop-listening")
                    server.post("/control/drop")
                    client.next(Events.DISCONNECT)
                    client.emit("echo", "waited")
                    server.post("/control/start-listening")
                    client.next(Events.RECONNECT)
                    assertEquals("waited", client.next("echo").decode<String>())
                    assertEquals("1", client.info()["reconnects"].toString())
                }
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixClose(generation: Int) =
        story {
            client(Server.shared(generation)).connected().use { client ->
                client.disconnect()
                val end = client.next(Events.DISCONNECT).element.jsonObject
                assertEquals("\"io client disconnect\"", end["reason"].toString())
                assertEquals(State.DISCONNECTED to null, client.state to client.socketId)
                client.emit("echo", "kept")
                client.connect()
                client.connected()
                assertEquals("kept", client.next("echo").decode<String>())
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixDestroyInCallback(generation: Int) =
        story {
            val client = client(Server.shared(generation))
            val seen = Channel<Int>(Channel.UNLIMITED)
            client.on("burst") {
                seen.send(it.decode())
                client.close()
            }
            val collected =
                async(start = CoroutineStart.UNDISPATCHED) { client.events("burst").map { it.decode<Int>() }.toList() }
            client.emit("burst", 100)
            assertEquals(0, seen.receive())
            val flow = collected.await()
            assertEquals(flow.indices.toList(), flow)
            assertThrows<ImClosedException> { client.emit("echo", 1) }
            assertTrue(seen.tryReceive().isFailure)
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixThousandInOrder(generation: Int) =
        story {
            client(Server.shared(generation)).use { client ->
                // They run to their first wait before anything is asked for.
                val all =
                    List(3) {
                        async(start = CoroutineStart.UNDISPATCHED) {
                            client
                                .events("burst")
                                .take(1000)
                                .map { it.decode<Int>() }
                                .toList()
                        }
                    }
                client.emit("burst", 1000)
                all.forEach { assertEquals((0 until 1000).toList(), it.await()) }
            }
        }

    @ParameterizedTest
    @ValueSource(ints = [2, 4])
    fun matrixExitWithLiveClient(generation: Int) {
        val server = Server.shared(generation)
        repeat(3) {
            val result = JavaProgram.run(ExitWithLiveClient::class, server.root)
            assertEquals("leaving with 1 client" to 0, result.output.trim() to result.status)
        }
    }
}
