// qr_login: waits for a phone that scans a QR code, and prints the token.
import Foundation
import ImClient
import Terminal

@main
struct QRLogin {
    struct Login: Decodable { let token: String }

    static func main() async {
        await run(login)
    }

    static func login() async throws {
        let flags = flags(["root": defaultRoot, "device-id": UUID().uuidString])
        let (root, device) = (flags["root"]!, flags["device-id"]!)
        let client = try Client(root: root, namespace: "sso", query: ["device_id": .string(device)])

        for await event in client.events(.connect, .connectError, .ssoQRLogin, .imError, .disconnect) {
            switch event.name {
            case .connect:
                // Where there is Core Image, CIQRCodeGenerator draws this as a QR code.
                say(
                    "url: \(root)/qrlogin?device_id=\(device.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!)"
                )
                say("device id: \(device)")
            case .ssoQRLogin:
                let login = try event.envelope(Login.self)
                guard let token = login.payload?.token else { throw Refused(reason: login.message ?? login.code.name) }
                say("token: \(token)")
                await client.destroy()
            case .imError:
                throw Refused(reason: try event.envelope(JSON.self).code.name)
            case .disconnect:
                throw Refused(reason: "no phone came: \(event.json)")
            default:
                say("* not connected: \(try event.decode(JSON.self)["message"].string ?? "")")
            }
        }
    }

    struct Refused: Error { let reason: String }
}
