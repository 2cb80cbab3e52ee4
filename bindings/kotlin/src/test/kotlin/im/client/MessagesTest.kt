package im.client

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds

class MessagesTest {
    private fun Server.receipts(): Int =
        ImJson
            .parseToJsonElement(get("/control/messages"))
            .let { if (it is JsonArray) it else it.jsonObject["messages"]!!.jsonArray }
            .count { "true" == it.jsonObject["delivered"].toString() || "222" in it.jsonObject["delivered"].toString() }

    /** The server is told that a message was delivered when its collector has returned from it, and not before. */
    @Test
    fun aMessageIsReceiptedWhenItWasHandled() =
        story {
            Server.egg().use { server ->
                chatClient(server, "111").use { sender ->
                    chatClient(server, "222").connected().use { receiver ->
                        val (came, handled) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
                        val receiving =
                            launch(start = CoroutineStart.UNDISPATCHED) {
                                receiver.events(Events.CHAT_MESSAGE).first {
                                    came.complete(Unit)
                                    handled.await()
                                    true
                                }
                            }
                        sender.sendMessage(Message("111", "222", "hi"))
                        came.await()
                        receiver.emit(Events.CHAT_PULL_RECENT_CONVERSATION)
                        receiver.next(Events.CHAT_PULL_RECENT_CONVERSATION)
                        assertEquals(0, server.receipts())
                        handled.complete(Unit)
                        receiving.join()
                        while (server.receipts() == 0) delay(5)
                    }
                }
            }
        }

    /** Nobody has seen it, so it comes again as an offline message. */
    @Test
    fun aMessageThatNobodyTookComesAgain() =
        story {
            Server.egg().use { server ->
                chatClient(server, "111").use { sender ->
                    val ignorant = chatClient(server, "222").connected()
                    sender.sendMessage(Message("111", "222", "unseen"))
                    ignorant.emitTwoWays()
                    ignorant.close()
                    chatClient(server, "222").use { receiver ->
                        val missed = receiver.next(Events.CHAT_PULL_OFFLINE_MESSAGE).payload<List<Message>>()
                        assertEquals(listOf("unseen"), missed.map { it.content })
                    }
                }
            }
        }

    private suspend fun ImClient.emitTwoWays() {
        emit(Events.CHAT_PULL_RECENT_CONVERSATION)
        next(Events.CHAT_PULL_RECENT_CONVERSATION)
    }

    @Test
    fun aRefusalCarriesTheServersAnswer() =
        story {
            Server.egg().use { server ->
                chatClient(server, "111").use { client ->
                    val message = Message("111", "no such group", "hi", typeu = MessageDomains.GROUP)
                    val error = runCatching { client.sendMessage(message) }.exceptionOrNull()
                    assertTrue(error is ImRefusedException, "$error")
                    error as ImRefusedException
                    assertEquals(Codes.SEND_FAILED, error.reply.envelope().code)
                    assertEquals(Statuses.ERROR_REFUSED to "IM_ERROR_REFUSED", error.status to error.statusName)
                }
            }
        }

    @Test
    fun aMessageThatIsNotAnsweredExpiresOrIsDropped() =
        story {
            client(Server.shared(4), "chat") {
                query("token" to "t", "userId" to "111")
                autoConnect = false
            }.use { client ->
                val timeout = runCatching { client.sendMessage(Message("111", "222", "hi"), 20.milliseconds) }
                assertTrue(timeout.exceptionOrNull() is ImTimeoutException)
                val waiting = async { client.sendMessage(JsonText("""{"type":1,"from":"1","to":"2","content":"x"}""")) }
                while (messages(client) == "0") delay(1)
                waiting.cancel()
                while (messages(client) != "0") delay(1)
                val wrong = runCatching { client.sendMessage(JsonText("""{"type":1}""")) }.exceptionOrNull()
                assertTrue(wrong is ImArgumentException && "from" in wrong.message!!, "$wrong")
            }
        }

    private fun messages(client: ImClient): String = client.info()["outbox"]!!.jsonObject["messages"].toString()

    @Test
    fun aStoredMessageSurvivesItsClient(
        @TempDir folder: Path,
    ) = story {
        Server.egg().use { server ->
            val file = folder.resolve("outbox").toString()
            val offline =
                chatClient(server, "111") {
                    store = file
                    autoConnect = false
                }
            val left =
                async(start = CoroutineStart.UNDISPATCHED) { runCatching { offline.sendMessage(Message("111", "222", "kept")) } }
            while (messages(offline) == "0") delay(1)
            offline.close()
            assertTrue(left.await().exceptionOrNull() is ImCanceledException)
            chatClient(server, "111") { store = file }.use { client ->
                val outcome = client.next(Events.OUTBOX).element.jsonObject
                assertEquals("0", outcome["status"].toString())
            }
        }
    }

    @Test
    fun messagesAreCompletedComparedAndNamed() {
        val one = ImLibrary.createMessage(Message("111", "222", "hi"))
        val other = ImLibrary.createMessage(Message("111", "222", "hi"))
        assertNotEquals(one.fp, other.fp)
        assertTrue(one.time!! > 0)
        val twice = ImJson.encodeToString(listOf(one, other, one))
        assertEquals(listOf(one, other), ImJson.decodeFromString<List<Message>>(ImLibrary.uniqueMessages(JsonText(twice)).text))
        assertEquals("111@222", ImLibrary.timelineId("111", "222"))
        val wrong = runCatching { ImLibrary.uniqueMessages(JsonText("{}")) }.exceptionOrNull()
        assertTrue(wrong is ImArgumentException, "$wrong")
        val nul = runCatching { ImLibrary.timelineId("a\u0000b", "c") }.exceptionOrNull()
        assertTrue(nul is ImArgumentException && "from" in nul.message!!, "$nul")
    }
}
