package im.client

import kotlinx.coroutines.runBlocking
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.reflect.KClass

/** Runs a program of the tests in a Java machine of its own. */
object JavaProgram {
    class Result(
        val output: String,
        val status: Int,
    )

    fun run(
        program: KClass<*>,
        vararg arguments: String,
    ): Result {
        val properties =
            listOf("im.native", "im.client.library", "im.client.jni").mapNotNull { name ->
                System.getProperty(name)?.let { "-D$name=$it" }
            }
        val java = File(System.getProperty("java.home"), "bin/java").path
        val classes = listOf("-cp", System.getProperty("java.class.path"), program.qualifiedName!!)
        val process = ProcessBuilder(listOf(java) + properties + classes + arguments).redirectErrorStream(true).start()
        process.outputStream.close()
        val output = process.inputReader().readText()
        check(process.waitFor(60, TimeUnit.SECONDS)) { "${program.simpleName} does not end:\n$output" }
        return Result(output, process.exitValue())
    }
}

/** Ends while events come in, handlers run, and the log is on. */
object ExitWithLiveClient {
    @JvmStatic
    fun main(arguments: Array<String>) {
        ImLibrary.setLog(LogLevel.TRACE) { _, _ -> }
        val client = ImClient(arguments[0], "/")
        client.on("burst") { client.emit("burst", 10) }
        repeat(10) { client.emit("burst", 100) }
        runBlocking { repeat(5) { client.next("burst") } }
        println("leaving with ${ImLibrary.clientCount} client")
    }
}

/** An object that calls its client when it is itself found to be garbage, after the client. */
object CallsFromAFinalizer {
    private class Owner(
        val client: ImClient,
    ) {
        @Suppress("removal")
        protected fun finalize() {
            outcome =
                try {
                    client.close()
                    client.emit("echo", "from a finalizer")
                    "the finalizer was not refused"
                } catch (e: ImException) {
                    "the finalizer was refused: ${e.statusName}"
                }
        }
    }

    @Volatile
    private var outcome: String? = null

    @JvmStatic
    fun main(arguments: Array<String>) {
        repeat(3) { Owner(ImClient(arguments[0], "/")) }
        while (outcome == null) System.gc()
        println(outcome)
    }
}

/** Shuts the library down under a client that waits, and uses it again. */
object ShutDown {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val client = ImClient(arguments[0], "/")
        val waiting = client.emitWithAckAsync("silent")
        ImLibrary.shutdown()
        val refused = runCatching { waiting.get() }.exceptionOrNull()?.cause as ImException
        val count = ImLibrary.clientCount
        val again = ImClient(arguments[0], "/").use { runBlocking { it.emitWithAck("echo", 1).args } }
        println("$count clients; refused: ${refused.statusName}; again: $again")
    }
}

/** Looks for the library where it is not. */
object WithoutALibrary {
    @JvmStatic
    fun main(arguments: Array<String>) {
        System.setProperty("im.client.library", "/nowhere/libim_client.so")
        val error = runCatching { ImClient("http://127.0.0.1:1", "/") }.exceptionOrNull()
        check(error is ImLibraryException) { "$error" }
        println(error.message)
    }
}
