package im.client

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** How long a test waits for what has to happen; nothing takes so long where all is well. */
val PATIENCE = 60.seconds

fun story(block: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(PATIENCE) { block() } }

fun client(
    server: Server,
    nsp: String = "/",
    configure: ImOptions.() -> Unit = {},
) = ImClient(server.root, nsp, configure)

fun chatClient(
    server: Server,
    user: String,
    configure: ImOptions.() -> Unit = {},
) = client(server, "chat") {
    query("token" to "t", "userId" to user)
    configure()
}

suspend fun ImClient.next(name: String): Event = events(name).first()

suspend fun ImClient.connected(): ImClient = apply { next(Events.CONNECT) }
