package im.client

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path

val repository: Path = Path.of(System.getProperty("im.test.repository")).toRealPath()
val cargoTarget: Path = Path.of(System.getProperty("im.test.target")).toRealPath()

/** A server that a test has started: it ends with its standard input, at the latest with this machine. */
class Server private constructor(
    directory: File,
    vararg command: String,
) : AutoCloseable {
    private val process =
        ProcessBuilder(*command).directory(directory).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    private val ready: JsonObject =
        process.inputReader().readLine()?.let { ImJson.parseToJsonElement(it).jsonObject }
            ?: error("${command.asList()} has not started")

    val root = "http://127.0.0.1:${ready["port"]!!.jsonPrimitive.int}"
    private val control = ready["controlPort"]?.jsonPrimitive?.int?.let { "http://127.0.0.1:$it" } ?: root

    fun post(
        path: String,
        body: String = "{}",
    ): String = send(HttpRequest.newBuilder(URI("$control$path")).POST(HttpRequest.BodyPublishers.ofString(body)))

    fun get(path: String): String = send(HttpRequest.newBuilder(URI("$control$path")))

    private fun send(request: HttpRequest.Builder): String {
        request.header("content-type", "application/json")
        val response = http.send(request.build(), HttpResponse.BodyHandlers.ofString())
        check(response.statusCode() < 300) { "${response.statusCode()} ${response.body()}" }
        return response.body()
    }

    override fun close() {
        process.outputStream.close()
        process.waitFor()
    }

    companion object {
        private val http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
        private val shared = HashMap<Int, Server>()

        /** Tests that don't disturb others share one server of each generation. */
        fun shared(generation: Int): Server = synchronized(shared) { shared.getOrPut(generation) { socketio(generation) } }

        fun socketio(
            generation: Int,
            vararg flags: String,
        ) = node("socketio.js", "--generation", "$generation", *flags)

        fun egg(vararg flags: String) = node("egg.js", *flags)

        fun imServer() =
            Server(
                repository.toFile(),
                cargoTarget.resolve("debug/im-server").toString(),
                "--port",
                "0",
                "--exit-with-stdin",
                "--quiet",
            )

        private fun node(vararg arguments: String) = Server(repository.resolve("tests/servers").toFile(), "node", *arguments)
    }
}
