// Signs a PC in by a phone: shows a QR code and waits until the phone has scanned it.

import com.google.zxing.BarcodeFormat
import com.google.zxing.common.BitMatrix
import com.google.zxing.qrcode.QRCodeWriter
import im.client.Codes
import im.client.Events
import im.client.ImClient
import im.client.envelope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.net.URLEncoder
import java.util.UUID

/** Two rows of modules to a line. The light ones are drawn, for most terminals are dark. */
private fun draw(code: BitMatrix): String =
    (0 until code.height step 2).joinToString("\n") { y ->
        (0 until code.width).joinToString("") { x ->
            val isLight = { row: Int -> row < code.height && !code[x, row] }
            " ▄▀█"[(if (isLight(y)) 2 else 0) + (if (isLight(y + 1)) 1 else 0)].toString()
        }
    }

/** The token that the server sends when the phone has agreed. A refusal is no end: the code can be scanned again. */
private suspend fun token(client: ImClient): String =
    client
        .events(Events.SSO_QRLOGIN)
        .first { it.envelope().code == Codes.OK }
        .envelope()
        .data.payload!!
        .jsonObject["token"]!!
        .jsonPrimitive.content

fun main(arguments: Array<String>) {
    val flags = flags(arguments, "root" to defaultRoot(), "device-id" to UUID.randomUUID().toString())
    val (root, device) = flags.values.toList()
    ImClient(root, "sso") { query("device_id", device) }.use { client ->
        runBlocking {
            // The server has to know the device before its code is scanned.
            client.events(Events.CONNECT).first()
            val url = "$root/qrlogin?device_id=${URLEncoder.encode(device, Charsets.UTF_8)}"
            println(draw(QRCodeWriter().encode(url, BarcodeFormat.QR_CODE, 0, 0)))
            println("url: $url\ndevice id: $device")
            println("token: ${token(client)}")
        }
    }
}
