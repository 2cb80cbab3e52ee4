import kotlin.system.exitProcess

/** The values of `--name value` flags, with their defaults. */
fun flags(
    arguments: Array<String>,
    vararg defaults: Pair<String, String>,
): Map<String, String> {
    val known = defaults.toMap()
    val given = arguments.toList().chunked(2)
    val isWrong = given.any { it.size != 2 || it[0].removePrefix("--") !in known || !it[0].startsWith("--") }
    if (isWrong) {
        System.err.println("usage: " + known.keys.joinToString(" ") { "[--$it VALUE]" })
        exitProcess(2)
    }
    return known + given.associate { (name, value) -> name.removePrefix("--") to value }
}

/** Where the server is, unless a flag says so. */
fun defaultRoot(): String = System.getenv("IM_ROOT") ?: "http://127.0.0.1:7001"
