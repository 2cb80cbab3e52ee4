// chat: each line of stdin goes to the peer, what comes in is printed.
import Foundation
import ImClient
import Terminal

let kickedOut: Int32 = 3

@main
struct Chat {
    static func main() async {
        await run(chat)
    }

    static func chat() async throws {
        let flags = flags(["root": defaultRoot, "user": "111", "token": "t", "peer": "echo"])
        let query: [String: JSON] = ["token": .string(flags["token"]!), "userId": .string(flags["user"]!)]
        let client = try Client(root: flags["root"]!, namespace: "chat", query: query)
        let events = client.events(.connect, .disconnect, .imError, .chatOnline, .chatMessage, .chatPullOfflineMessage)

        let talk = Task { await send(lines(), client, from: flags["user"]!, to: flags["peer"]!) }
        var code: BusinessCode?
        for await event in events {
            try show(event)
            if event.name == .imError { code = try event.envelope(JSON.self).code }
            if event.name == .disconnect, try event.decode(End.self).willReconnect == false { break }
        }
        if code == .otherDevice { exit(kickedOut) }
        if code == .authFailed || code == .relogin { exit(EXIT_FAILURE) }
        await talk.value
        await client.destroy()
    }

    /// Sends line by line, each when the one before is stored, and closes the client after the last.
    static func send(_ lines: AsyncStream<String>, _ client: Client, from user: String, to peer: String) async {
        for await line in lines where !line.isEmpty {
            do {
                let message = Message(from: user, to: peer, content: line)
                let stored = try await client.send(message, timeout: .seconds(10)).envelope(Message.self).payload
                say("✓ stored \(stored?.sequenceID ?? 0)")
            } catch {
                say("! not confirmed: \(error)")
            }
        }
        // The end of the connection comes behind all that was received, so nothing of it is missed.
        if (try? client.state) == .connected {
            try? client.close()
        } else {
            await client.destroy()
        }
    }

    static func show(_ event: Event) throws {
        switch event.name {
        case .connect:
            say("* connected by \(try event.decode(Connected.self).transport)")
        case .disconnect:
            say("* disconnected: \(try event.decode(End.self).reason)")
        case .imError:
            let error = try event.envelope(JSON.self)
            say("! \(error.code.name) (\(error.code.rawValue), \(error.message ?? ""))")
        case .chatOnline:
            guard let online = try event.envelope(Online.self).payload else { return }
            say("* \(online.current) is \(online.type)")
        case .chatMessage:
            guard let message = try event.envelope(Message.self).payload else { return }
            say("\(message.from): \(message.content)")
        default:
            for message in try event.envelope([Message].self).payload ?? [] {
                say("\(message.from): \(message.content)")
            }
        }
    }

    struct Connected: Decodable { let transport: String }
    struct End: Decodable { let reason: String, willReconnect: Bool }
    struct Online: Decodable { let current: String, type: String }
}
