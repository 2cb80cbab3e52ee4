import XCTest

@testable import ImClient

/// How events get from the library to those who listen: bounded, nothing lost, receipted when they were dealt with.
final class DeliveryTests: ServerTestCase {
    private func client(_ server: Server, _ backlog: Int, _ set: (inout Options) -> Void = { _ in }) throws -> Client {
        var options = Options(root: server.root, namespace: "/")
        set(&options)
        return try Client(options, backlog: backlog) { _, _ in }
    }

    private func read(_ count: Int, of stream: EventStream) async throws -> [Int] {
        struct Flood: Decodable { let i: Int }
        return try await within {
            var numbers: [Int] = []
            for await event in stream {
                numbers.append(try event.decode(Flood.self).i)
                if numbers.count == count { break }
            }
            return numbers
        }
    }

    func testWhatASlowReaderLeavesStaysInTheLibrary() async throws {
        let client = try client(socketio(4), 20_000)
        let (slow, fast) = (client.events("flood"), client.events("flood"))
        try client.emit("flood", 500, 200)
        try await eventually("the library to keep some") {
            (try client.info["receiveQueue"]["events"].integer ?? 0) > 300
        }
        // The reader of one stream is held up by that of the other, and neither loses anything.
        async let others = read(500, of: fast)
        let numbers = try await read(500, of: slow)
        XCTAssertEqual(numbers, Array(0..<500))
        let same = try await others
        XCTAssertEqual(same, numbers)
        await client.destroy()
    }

    func testAnAnswerIsAwaitedInsideALoop() async throws {
        let client = try client(socketio(4), 5_000)
        let stream = client.events("flood")
        try client.emit("flood", 200, 200)
        let answers = try await within {
            var answers = 0
            for await event in stream {
                _ = try await client.emitWithAck("echo", event.json)
                answers += 1
                if answers == 200 { break }
            }
            return answers
        }
        XCTAssertEqual(answers, 200)
        await client.destroy()
    }

    /// The library holds what it may, too, and reading has paused: the answer can't come, and the connection ends after a while.
    func testAnAnswerBehindTooMuchIsAnErrorAndNoHang() async throws {
        let client = try client(socketio(4), 5_000) {
            $0.receiveQueueBytes = 20_000
            $0.maxPauseMs = .milliseconds(200)
            $0.reconnection = false
        }
        let stream = client.events("flood")
        try client.emit("flood", 20_000, 1000)
        await assertThrows(.disconnected) { _ = try await within { try await client.emitWithAck("echo") } }
        // What had come (about 20 of them) is there, in its order.
        let numbers = try await read(10, of: stream)
        XCTAssertEqual(numbers, Array(0..<10))
        await client.destroy()
    }

    func testWhatComesBeforeAnybodyListensWaits() async throws {
        let client = try socketio(2).client()
        try client.emit("burst", 100)
        _ = try await client.emitWithAck("echo")
        let stream = client.events("burst")
        try client.emit("burst", 1)
        let numbers = try await within {
            var numbers: [Int] = []
            for await event in stream {
                numbers.append(try event.decode(Int.self))
                if numbers.last == 0 { break }
            }
            return numbers
        }
        // Of all names the newest 64 were kept, `connect` not among them any more.
        XCTAssertEqual(numbers, Array(36..<100) + [0])
        await client.destroy()
    }

    private let message: JSON = [
        "meta": ["timestamp": 1], "code": 0,
        "data": [
            "action": "CHAT_MESSAGE", "payload": ["type": 1, "from": "b", "to": "a", "content": "hi", "fp": "f"],
        ],
    ]

    private func receipts(_ server: Server) async throws -> Int {
        try await server.control("/control/stats")["events"].array?.filter { $0["name"] == "c_message_ack" }.count ?? 0
    }

    func testAMessageIsReceiptedWhenItWasDealtWith() async throws {
        let server = try socketio(4)
        let client = try server.client("chat", ["token": "t", "userId": "a"])
        var place = client.events(.chatMessage).makeAsyncIterator()
        try client.emit("tell", "c_message", message)
        let first = await place.next()
        XCTAssertEqual(try first?.envelope(Message.self).payload?.content, "hi")
        _ = try await client.emitWithAck("echo")
        let meanwhile = try await receipts(server)
        XCTAssertEqual(meanwhile, 0)
        let waiting = Task { [place] in
            var place = place
            return await place.next()
        }
        try await eventually("the receipt") { try await self.receipts(server) == 1 }
        waiting.cancel()
        _ = await waiting.value
        await client.destroy()
    }

    func testAMessageThatNobodyTookIsNotReceipted() async throws {
        let server = try socketio(4)
        let client = try server.client("chat", ["token": "t", "userId": "a"]) { $0.dedupe = false }
        // Nobody listens; a stream is let go unread; nobody listens any more.
        try client.emit("tell", "c_message", message)
        _ = try await client.emitWithAck("echo")
        var unread: EventStream? = client.events(.chatMessage)
        try client.emit("tell", "c_message", message)
        _ = try await client.emitWithAck("echo")
        XCTAssertNotNil(unread)
        unread = nil
        try client.emit("tell", "c_message", message)
        _ = try await client.emitWithAck("echo")
        let none = try await receipts(server)
        XCTAssertEqual(none, 0)
        // A handler takes it.
        client.on(.chatMessage) { _ in }
        try client.emit("tell", "c_message", message)
        try await eventually("the receipt") { try await self.receipts(server) == 1 }
        await client.destroy()
    }

    func testAHandlerIsDoneWithAMessageWhenItReturns() async throws {
        let server = try socketio(4)
        let client = try server.client("chat", ["token": "t", "userId": "a"])
        let (started, released) = (Counter(), Counter())
        client.on(.chatMessage) { _ in
            started.add()
            while released.value == 0 { try await Task.sleep(for: .milliseconds(2)) }
        }
        try client.emit("tell", "c_message", message)
        try await eventually("the call") { started.value == 1 }
        _ = try await client.emitWithAck("echo")
        let meanwhile = try await receipts(server)
        XCTAssertEqual(meanwhile, 0)
        released.add()
        try await eventually("the receipt") { try await self.receipts(server) == 1 }
        await client.destroy()
    }

    func testBothNamesOfAnEventAreOne() async throws {
        let client = try socketio(4).client()
        let stream = client.events(.chatOnline)
        try client.emit("tell", "CHAT_ONLINE", 1)
        try client.emit("tell", "c_online", 2)
        let (first, second) = (try await stream.first(), try await stream.first())
        XCTAssertEqual([first.name, second.name], ["CHAT_ONLINE", "c_online"])
        let other = client.events("CHAT_TYPING", "CHAT_ONLINE")
        try client.emit("tell", "c_online", 3)
        let third = try await other.first()
        XCTAssertEqual(third.json, "3")
        await client.destroy()
    }

    func testOneStreamOfSeveralNamesKeepsTheOrder() async throws {
        let client = try socketio(2).client()
        let (some, all) = (client.events("a", "b"), client.events())
        for number in 0..<50 { try client.emit("tell", number % 2 == 0 ? "a" : "b", number) }
        let numbers = try await within {
            var numbers: [Int] = []
            for await event in some {
                numbers.append(try event.decode(Int.self))
                if numbers.count == 50 { break }
            }
            return numbers
        }
        XCTAssertEqual(numbers, Array(0..<50))
        let connected = try await all.first()
        XCTAssertEqual(connected.name, .connect)
        await client.destroy()
    }

    func testHeartbeatsComeWhereSomebodyListens() async throws {
        for generation in [2, 4] {
            let server = try socketio(generation, "--ping-interval", "100")
            let client = try server.client()
            let beat = try await client.events(.ping).first()
            XCTAssertEqual(beat.name, .ping)
            await client.destroy()
        }
    }

    func testACanceledHandlerIsNotCalledAgain() async throws {
        let client = try socketio(4).client()
        let calls = Counter()
        let subscription = client.on("echo") { _ in calls.add() }
        try client.emit("echo", 1)
        try await eventually("a call") { calls.value == 1 }
        subscription.cancel()
        subscription.cancel()
        try client.emit("echo", 2)
        _ = try await client.emitWithAck("echo")
        XCTAssertEqual(calls.value, 1)
        await client.destroy()
    }

    func testAStreamKeepsItsClientAlive() async throws {
        let server = try socketio(4)
        // Nobody but the stream has the client.
        let stream = try server.client().events(.connect)
        let connected = try await stream.first()
        XCTAssertEqual(connected.name, .connect)
        XCTAssertEqual(try stream.client.state, .connected)
    }

    func testTwoLoopsOverOneStreamShareItsEvents() async throws {
        let client = try socketio(4).client()
        let stream = client.events("burst")
        let seen = Counter()
        let loops = (0..<2).map { _ in Task { for await _ in stream { seen.add() } } }
        try client.emit("burst", 100)
        try await eventually("all of them") { seen.value == 100 }
        await client.destroy()
        for loop in loops { await loop.value }
        XCTAssertEqual(seen.value, 100)
    }
}
