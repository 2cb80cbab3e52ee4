// A small console chat: each line of input goes to one peer, and what comes is shown.

import im.client.Codes
import im.client.Event
import im.client.Events
import im.client.ImClient
import im.client.ImException
import im.client.Message
import im.client.envelope
import im.client.payload
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.selects.select
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.concurrent.thread
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

private const val SIGNED_IN_ELSEWHERE = 3

@Serializable
private data class Presence(
    val current: String,
    val type: String,
)

/** Control characters in other people's text must not reach the terminal. */
private fun say(text: String) = println(text.replace(Regex("\\p{Cntrl}"), " "))

private fun Event.text(field: String): String =
    element.jsonObject[field]
        ?.jsonPrimitive
        ?.content
        .orEmpty()

/** Shows an event; completes [kickedOut] when this user has signed in elsewhere. */
private fun show(
    event: Event,
    kickedOut: Job,
) {
    when (event.name) {
        Events.CONNECT -> {
            say("* connected by ${event.text("transport")}")
        }

        Events.CONNECT_ERROR -> {
            say("* cannot connect: ${event.text("message")}")
        }

        Events.DISCONNECT -> {
            say("* disconnected: ${event.text("reason")}")
        }

        Events.CHAT_ONLINE -> {
            event.payload<Presence>().run { say("* $current is $type") }
        }

        Events.CHAT_MESSAGE -> {
            event.payload<Message>().run { say("$from: $content") }
        }

        Events.CHAT_PULL_OFFLINE_MESSAGE -> {
            event.payload<List<Message>>().forEach { say("${it.from}: ${it.content}") }
        }

        Events.IMERROR -> {
            val (code, meta) = event.envelope()
            say("! ${Codes.nameOf(code) ?: "UNKNOWN"} ($code, ${meta.msg.orEmpty()})")
            if (code == Codes.OTHER_DEVICE) kickedOut.cancel()
        }
    }
}

private suspend fun send(
    client: ImClient,
    message: Message,
) = try {
    val stored = client.sendMessage(message, timeout = 10.seconds).payload<Message>()
    say("✓ stored ${stored.sequenceId}")
} catch (e: ImException) {
    say("! not confirmed: ${e.message}")
}

/** Lines of the standard input. Reading it can't be canceled, so a daemon thread does it. */
private fun lines(): Channel<String> {
    val lines = Channel<String>(Channel.UNLIMITED)
    thread(isDaemon = true) {
        generateSequence(::readlnOrNull).forEach { lines.trySend(it) }
        lines.close()
    }
    return lines
}

/** Sends what is typed until the input ends and all is confirmed, or until this user is kicked out: then false. */
private suspend fun CoroutineScope.talk(
    client: ImClient,
    message: Message,
    kickedOut: Job,
): Boolean {
    val talking =
        launch {
            coroutineScope {
                for (line in lines()) {
                    // Starts at once, so that the messages go out in their order.
                    if (line.isNotBlank()) {
                        launch(
                            start = CoroutineStart.UNDISPATCHED,
                        ) { send(client, message.copy(content = line)) }
                    }
                }
            }
        }
    val finished =
        select {
            talking.onJoin { true }
            kickedOut.onJoin { false }
        }
    talking.cancel()
    return finished
}

fun main(arguments: Array<String>) {
    val flags = flags(arguments, "root" to defaultRoot(), "user" to "111", "token" to "t", "peer" to "echo")
    val (root, user, token, peer) = flags.values.toList()
    val finished =
        // On one thread, so what came before the last confirmation is shown before the end.
        runBlocking {
            ImClient(root, "chat") { query("token" to token, "userId" to user) }.use { client ->
                val kickedOut = Job()
                val showing = launch(start = CoroutineStart.UNDISPATCHED) { client.events().collect { show(it, kickedOut) } }
                talk(client, Message(from = user, to = peer, content = ""), kickedOut).also { showing.cancel() }
            }
        }
    if (!finished) exitProcess(SIGNED_IN_ELSEWHERE)
}
