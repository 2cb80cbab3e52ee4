import im.client.Events
import im.client.ImClient
import im.client.Message
import im.client.Server
import im.client.cargoTarget
import im.client.next
import im.client.payload
import im.client.repository
import im.client.story
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.BufferedWriter
import java.io.IOException
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** A program that runs, as its README says that it is started. */
private class Program(
    command: List<String>,
    root: String? = null,
) : AutoCloseable {
    private val process =
        ProcessBuilder(command)
            .apply { root?.let { environment()["IM_ROOT"] = it } }
            .redirectErrorStream(true)
            .start()
    private val lines = LinkedBlockingQueue<String>()
    private val reading =
        thread {
            try {
                process.inputReader().forEachLine(lines::add)
            } catch (_: IOException) {
                // The test was done with it before its end.
            }
        }
    val input: BufferedWriter = process.outputWriter()

    constructor(name: String, root: String, vararg flags: String) :
        this(listOf("java", "-cp", "${repository.resolve("examples/kotlin/target/app")}/*", name, *flags), root)

    fun type(line: String) {
        input.write("$line\n")
        input.flush()
    }

    /** Waits for a line that begins so. */
    fun line(start: String): String {
        val seen = ArrayList<String>()
        while (true) {
            val line = lines.poll(60, TimeUnit.SECONDS) ?: error("no line begins with \"$start\":\n${seen.joinToString("\n")}")
            if (line.startsWith(start)) return line
            seen += line
        }
    }

    /** Waits for the end; gives the status. */
    fun end(): Int {
        check(process.waitFor(60, TimeUnit.SECONDS)) { "it does not end:\n${lines.joinToString("\n")}" }
        reading.join()
        return process.exitValue()
    }

    override fun close() {
        process.destroyForcibly()
    }
}

class ExamplesTest {
    @Test
    fun twoUsersChat() =
        Server.imServer().use { server ->
            Program("ChatKt", server.root, "--user", "111", "--peer", "222").use { one ->
                one.line("* connected by websocket")
                Program("ChatKt", server.root, "--user", "222", "--peer", "111").use { other ->
                    one.line("* 222 is online")
                    one.type("grüß dich")
                    assertEquals("✓ stored 1", one.line("✓"))
                    assertEquals("111: grüß dich", other.line("111:"))
                    other.type("a line\u001b[2J that clears the screen")
                    assertEquals("222: a line [2J that clears the screen", one.line("222:"))
                    other.input.close()
                    assertEquals(0, other.end())
                    one.line("* 222 is offline")
                }
                one.input.close()
                assertEquals(0, one.end())
            }
        }

    @Test
    fun allIsConfirmedBeforeTheChatEnds() =
        Server.imServer().use { server ->
            Program("ChatKt", server.root).use { chat ->
                repeat(20) { chat.type("line $it") }
                chat.input.close()
                repeat(20) { chat.line("✓ stored ") }
                assertEquals(0, chat.end())
            }
        }

    @Test
    fun whatCameMeanwhileIsShown() =
        story {
            Server.imServer().use { server ->
                ImClient(server.root, "chat") { query("token" to "t", "userId" to "222") }.use { sender ->
                    sender.sendMessage(Message("222", "111", "while you were away"))
                    Program("ChatKt", server.root).use { assertEquals("222: while you were away", it.line("222:")) }
                }
            }
        }

    @Test
    fun whoIsKickedOutLeaves() =
        Server.imServer().use { server ->
            Program("ChatKt", server.root, "--root", server.root).use { first ->
                first.line("* connected by websocket")
                Program("ChatKt", server.root).use { second ->
                    assertTrue(first.line("! ").startsWith("! IM_CODE_OTHER_DEVICE (20004, "))
                    assertEquals(3, first.end())
                    second.input.close()
                    assertEquals(0, second.end())
                }
            }
        }

    @Test
    fun wrongFlagsAreNamed() {
        Program("ChatKt", "", "--nobody", "x").use {
            it.line("usage: [--root VALUE] [--user VALUE]")
            assertEquals(2, it.end())
        }
    }

    @Test
    fun aPhoneSignsThePcIn() =
        Server.imServer().use { server ->
            Program("QrLoginKt", server.root, "--device-id", "my pc").use { login ->
                assertEquals("url: ${server.root}/qrlogin?device_id=my+pc", login.line("url: "))
                assertEquals("device id: my pc", login.line("device id: "))
                val phone = listOf("phone", "--url", server.root, "--device-id", "my pc", "--user", "111")
                Program(listOf(cargoTarget.resolve("debug/im-server").toString()) + phone).use { assertEquals(0, it.end()) }
                assertTrue(login.line("token: ").length > "token: ".length)
                assertEquals(0, login.end())
            }
        }

    @Test
    fun theReadmesProgramRuns() =
        story {
            Server.imServer().use { server ->
                val java = listOf("java", "-cp", System.getProperty("java.class.path"), "readme.block1.Block1Kt")
                Program(java, server.root).use { program ->
                    assertEquals("echo: hello", program.line("echo:"))
                    assertEquals(0, program.end())
                }
            }
        }
}
