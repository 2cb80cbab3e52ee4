import ImClient
import XCTest

/// What every language of the library is seen to do, on both generations of servers (bindings/behaviours.json).
final class MatrixTests: ServerTestCase {
    func testMatrixConnect() async throws {
        for generation in [2, 4] {
            let server = try socketio(generation)
            let client = try Client(root: server.root, namespace: "/")
            let connected = try await client.events(.connect).first()
            let content = try connected.decode(JSON.self)
            XCTAssertEqual(content["protocol"], generation == 2 ? 3 : 4)
            XCTAssertEqual(content["transport"], "websocket")
            XCTAssertEqual(try client.state, .connected)
            XCTAssertEqual(try client.socketID, content["sid"].string)
            await client.destroy()
        }
    }

    func testMatrixReceive() async throws {
        try await onBoth { server in
            let client = try server.client()
            let stream = client.events("several", "unicode")
            try client.emit("several")
            let several = try await stream.first()
            XCTAssertEqual(several.name, "several")
            XCTAssertEqual(several.json, "1")
            XCTAssertEqual(try several.arguments.values, [1, "two", ["three": 3], [4], nil])
            XCTAssertEqual(try several.arguments.decode([String: Int].self, at: 2), ["three": 3])
            try client.emit("unicode")
            let unicode = try await stream.first()
            XCTAssertEqual(try unicode.arguments.decode(String.self, at: 1), "😀👩‍👩‍👧 𝕏")
            XCTAssertEqual(try unicode.arguments.decode(String.self, at: 4), "\u{0}\u{1e}\u{7f}")
            await client.destroy()
        }
    }

    func testMatrixEmit() async throws {
        struct Person: Codable, Equatable {
            var name: String
            var friends: [String]?
        }
        try await onBoth { server in
            let client = try server.client()
            let echoes = client.events("echo")
            let person = Person(name: "Ä/\"", friends: ["b"])
            let json: JSON = ["deep": [["x": nil]], "n": -1.5]
            try client.emit("echo", 7, "two", person, json, [true, false])
            let echo = try await echoes.first()
            XCTAssertEqual(try echo.arguments.values.count, 5)
            XCTAssertEqual(try echo.decode(Int.self), 7)
            XCTAssertEqual(try echo.arguments.decode(Person.self, at: 2), person)
            XCTAssertEqual(try echo.arguments.decode(JSON.self, at: 3), json)
            try client.emit("echo", json: "{ \"as\" : \"text\" }")
            let text = try await echoes.first()
            XCTAssertEqual(try text.decode([String: String].self), ["as": "text"])
            try client.emit("no_args")
            let nothing = try await client.events("no_args").first()
            XCTAssertEqual(nothing.json, "null")
            XCTAssertEqual(nothing.arguments.allJSON, "[]")
            await client.destroy()
        }
    }

    func testMatrixAckFromServer() async throws {
        try await onBoth { server in
            let client = try server.client()
            let answer = try await client.emitWithAck("echo", "one", ["two": 2])
            XCTAssertEqual(try answer.decode(String.self), "one")
            XCTAssertEqual(try answer.arguments(at: 1), ["two": 2])
            // Many at once, each its own.
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask { try await client.emitWithAck("shuffle_ack", 20, number).decode(Int.self) == number }
                }
                for try await own in group { XCTAssert(own) }
            }
            await client.destroy()
        }
    }

    func testMatrixAckToServer() async throws {
        try await onBoth { server in
            let client = try server.client()
            let questions = client.events("question")
            let answers = client.events("answered")
            try client.emit("ask", "now")
            let now = try await questions.first()
            XCTAssert(now.isQuestion)
            try now.reply("yes", ["n": 1])
            let first = try await answers.first()
            XCTAssertEqual(try first.arguments.values, ["yes", ["n": 1]])
            await assertThrows(.notFound) { try now.reply("again") }
            // In a handler.
            let subscription = client.on("question") { try $0.reply("from a handler") }
            try client.emit("ask", "handled")
            let handled = try await questions.first()
            let second = try await answers.first()
            XCTAssertEqual(second.json, "\"from a handler\"")
            await assertThrows(.notFound) { try handled.reply("too late") }
            subscription.cancel()
            // Later, from elsewhere, when other events have come.
            try client.emit("ask", "later")
            let later = try await questions.first()
            try client.emit("echo", 1)
            let echo = try await client.events("echo").first()
            await assertThrows(.notFound) { try echo.reply("nobody asked") }
            try await Task.detached { try later.reply() }.value
            let third = try await answers.first()
            XCTAssertEqual(third.arguments.allJSON, "[]")
            await client.destroy()
        }
    }

    func testMatrixBinary() async throws {
        struct File: Codable, Equatable, Sendable {
            var name: String
            var parts: [Data]
        }
        try await onBoth { server in
            let client = try server.client()
            let file = File(name: "f", parts: [Data([1, 2, 255]), Data()])
            let answer = try await client.emitWithAck("echo", file, Data([9]), [UInt8](repeating: 7, count: 70_000))
            XCTAssertEqual(try answer.decode(File.self), file)
            XCTAssertEqual(try answer.decode(Data.self, at: 1), Data([9]))
            XCTAssertEqual(answer.attachments.map(\.count), [3, 0, 1, 70_000])
            let described = try await client.emitWithAck("describe", ["x": .binary(Data([0xab]))] as JSON)
            XCTAssertEqual(try described.value, ["x": ["hex": "ab"]])
            try client.emit("binary")
            let event = try await client.events("binary").first()
            XCTAssertEqual(try event.arguments.value.binary, Data([1, 2, 3]))
            XCTAssertEqual(try event.arguments.values[1]["list"][2]["deep"].binary?.count, 70_000)
            // An answer to the server too.
            let questions = client.events("question")
            try client.emit("ask_binary", Data([5]))
            let question = try await questions.first()
            XCTAssertEqual(try question.decode(Data.self), Data([5]))
            try question.reply(Data([6]))
            let told = try await client.events("described").first()
            XCTAssertEqual(try told.decode([String: String].self), ["hex": "06"])
            await client.destroy()
        }
    }

    func testMatrixSendMessage() async throws {
        for server in try imServers() {
            let (anna, ben) = (try server.user("111"), try server.user("222"))
            let inbox = ben.events(.chatMessage)
            _ = try await ben.events(.connect).first()
            let message = Message(from: "111", to: "222", content: "hi, \"Ben\" 😀")
            let stored = try await anna.send(message).envelope(Message.self)
            XCTAssertEqual(stored.code, .ok)
            XCTAssertEqual(stored.payload?.content, message.content)
            XCTAssertNotNil(stored.payload?.sequenceID)
            let received = try await inbox.first().envelope(Message.self)
            XCTAssertEqual(received.payload?.from, "111")
            XCTAssertEqual(received.payload?.fp, stored.payload?.fp)
            XCTAssertFalse(received.isCopy)
            await anna.destroy()
            await ben.destroy()
        }
    }

    func testMatrixSendMessageThatIsRefused() async throws {
        let server = try imServers()[0]
        let client = try server.user("111")
        let error = await assertThrows(.refused) {
            _ = try await client.send(Message(from: "111", to: "no such group", content: "hi", typeu: .group))
        }
        let reply = try XCTUnwrap(error?.reply?.envelope(JSON.self))
        XCTAssertEqual(reply.code, .sendFailed)
        XCTAssertEqual(reply.code.name, "IM_CODE_SEND_FAILED")
        XCTAssertNotNil(reply.message)
        await client.destroy()
    }

    func testMatrixQrLogin() async throws {
        struct Login: Decodable, Sendable { let token: String }
        for server in try imServers() {
            let client = try server.client("sso", ["device_id": "pc1"])
            let logins = client.events(.ssoQRLogin)
            let ends = client.events(.disconnect)
            _ = try await client.events(.connect).first()
            let expected: String?
            if try await server.isEgg {
                try await server.control("/control/qrlogin", ["device_id": "pc1", "code": 0, "token": "secret"])
                expected = "secret"
            } else {
                let answer = try await server.control("/phone/qrlogin", ["device_id": "pc1", "user_id": "111"])
                expected = answer["token"].string ?? answer["data"]["token"].string
            }
            let login = try await logins.first().envelope(Login.self)
            XCTAssertEqual(login.payload?.token, expected ?? login.payload?.token)
            XCTAssertFalse(login.payload?.token.isEmpty ?? true)
            // It was taken and given back, so the login is over, and the client closes by itself.
            let end = try await ends.first()
            XCTAssertEqual(try end.decode(JSON.self)["willReconnect"], false)
            await client.destroy()
        }
    }

    func testMatrixKickOut() async throws {
        for server in try imServers() {
            let first = try server.user("111")
            let (errors, ends) = (first.events(.imError), first.events(.disconnect))
            _ = try await first.events(.connect).first()
            let second = try server.user("111")
            let error = try await errors.first().envelope(JSON.self)
            XCTAssertEqual(error.code, .otherDevice)
            XCTAssertEqual(error.code.rawValue, 20004)
            let end = try await ends.first()
            XCTAssertEqual(try end.decode(JSON.self)["willReconnect"], false)
            XCTAssertEqual(try first.state, .disconnected)
            XCTAssertEqual(try second.state, .connected)
            await first.destroy()
            await second.destroy()
        }
    }

    func testMatrixReconnect() async throws {
        try await onBoth { server in
            let client = try server.client()
            let stream = client.events(.connect, .disconnect, .reconnect, "echo")
            _ = try await stream.first { $0.name == .connect }
            try await server.control("/control/stop-listening", [:])
            try await server.control("/control/drop", [:])
            let end = try await stream.first()
            XCTAssertEqual(end.name, .disconnect)
            XCTAssertEqual(try end.decode(JSON.self)["willReconnect"], true)
            try client.emit("echo", "waited")
            try await server.control("/control/start-listening", [:])
            var names: [EventName] = []
            while names.last != "echo" { names.append(try await stream.first().name) }
            XCTAssertEqual(Set(names), [.connect, .reconnect, "echo"])
            XCTAssertEqual(try client.info["reconnects"], 1)
            await client.destroy()
        }
    }

    func testMatrixClose() async throws {
        try await onBoth { server in
            let client = try server.client()
            let stream = client.events(.connect, .disconnect, "echo")
            _ = try await stream.first()
            try client.close()
            let end = try await stream.first()
            XCTAssertEqual(end.name, .disconnect)
            XCTAssertEqual(try end.decode(JSON.self)["reason"], "io client disconnect")
            XCTAssertNil(try client.socketID)
            try client.emit("echo", "kept for the next")
            try client.open()
            let (connected, echo) = (try await stream.first(), try await stream.first())
            XCTAssertEqual(connected.name, .connect)
            XCTAssertEqual(echo.json, "\"kept for the next\"")
            await client.destroy()
        }
    }

    func testMatrixDestroyInCallback() async throws {
        try await onBoth { server in
            // In a loop over events: it ends.
            let client = try server.client()
            let stream = client.events("burst")
            try client.emit("burst", 50)
            let seen = try await within {
                var seen = 0
                for await _ in stream {
                    seen += 1
                    if seen == 3 { await client.destroy() }
                }
                return seen
            }
            XCTAssertEqual(seen, 3)
            // In a handler: it is not called again.
            let other = try server.client()
            let calls = Counter()
            other.on("burst") { [weak other] _ in
                calls.add()
                await other?.destroy()
            }
            try other.emit("burst", 50)
            try await eventually("the end") { (try? other.state) == nil }
            await other.destroy()
            XCTAssertEqual(calls.value, 1)
        }
    }

    func testMatrixThousandInOrder() async throws {
        try await onBoth { server in
            let client = try server.client()
            let stream = client.events("burst")
            try client.emit("burst", 1000)
            let numbers = try await within {
                var numbers: [Int] = []
                for await event in stream {
                    numbers.append(try event.decode(Int.self))
                    if numbers.count == 1000 { break }
                }
                return numbers
            }
            XCTAssertEqual(numbers, Array(0..<1000))
            await client.destroy()
        }
    }

    func testMatrixExitWithLiveClient() async throws {
        let program = Bundle.main.bundleURL.appendingPathComponent("ExitWithLiveClient")
        try await onBoth { server in
            for _ in 0..<5 {
                let process = Process()
                let stderr = Pipe()
                process.executableURL = program
                process.arguments = [server.root]
                process.standardError = stderr
                try process.run()
                let said = stderr.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                XCTAssertEqual(process.terminationReason, .exit)
                XCTAssertEqual(process.terminationStatus, 0)
                XCTAssertEqual(String(decoding: said, as: UTF8.self), "")
            }
        }
    }
}

extension Arguments {
    fileprivate func arguments(at index: Int) throws -> JSON {
        try decode(JSON.self, at: index)
    }
}

extension Server {
    fileprivate var isEgg: Bool {
        get async throws { (try? await control("/healthz")) == nil }
    }
}

/// Counts, from any thread.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var value: Int { lock.withLock { count } }

    func add() {
        lock.withLock { count += 1 }
    }
}
