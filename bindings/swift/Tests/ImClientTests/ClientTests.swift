import CImClient
import XCTest

@testable import ImClient

/// Credentials, the log, the state of a client, and its end.
final class ClientTests: ServerTestCase {
    func testCredentialsAreAskedForBeforeEachConnection() async throws {
        for generation in [2, 4] {
            let server = try socketio(generation)
            let attempts = Counter()
            let client = try server.client {
                $0.queryProvider = { attempt in
                    attempts.add()
                    return ["token": .string("token \(attempts.value)"), "attempt": .integer(attempt)]
                }
                $0.authProvider = { _ in ["secret": "s"] }
            }
            let shake = try await client.emitWithAck("handshake").value
            XCTAssertEqual(shake["query"]["token"], "token 1")
            XCTAssertEqual(shake["query"]["attempt"], "0")
            if generation == 4 { XCTAssertEqual(shake["auth"], ["secret": "s"]) }
            try await server.control("/control/drop", [:])
            let again = try await within { () -> JSON in
                while true {
                    let shake = try? await client.emitWithAck("handshake").value
                    if let shake, shake["query"]["token"] == "token 2" { return shake }
                }
            }
            XCTAssertEqual(again["query"]["attempt"], "1")
            await client.destroy()
        }
    }

    func testAProviderThatThrowsIsReportedAndWhatIsThereCounts() async throws {
        struct Locked: Error {}
        let server = try socketio(4)
        let reports = Counter()
        var options = Options(root: server.root, namespace: "/", query: ["token": "old"])
        options.queryProvider = { _ in throw Locked() }
        options.authProvider = { _ in nil }
        let client = try Client(options) { error, event in
            if error is Locked, event.name == .query, event.kind == .request { reports.add() }
        }
        let shake = try await client.emitWithAck("handshake").value
        XCTAssertEqual(shake["query"]["token"], "old")
        XCTAssertEqual(reports.value, 1)
        await client.destroy()
    }

    func testARequestMayBeAnsweredFromAStream() async throws {
        let client = try socketio(4).client { $0.askAuth = true }
        let request = try await client.events(.auth).first()
        XCTAssertEqual(request.kind, .request)
        try request.answer(["by": "hand"])
        let shake = try await client.emitWithAck("handshake").value
        XCTAssertEqual(shake["auth"], ["by": "hand"])
        await assertThrows(.notFound) { try request.answer(nil) }
        await client.destroy()
    }

    func testWhatAServerForgesIsItsOwn() async throws {
        let client = try socketio(4).client()
        let connect = try await client.events(.connect).first()
        XCTAssertEqual(connect.kind, .local)
        try client.emit("tell", "outbox", ["fp": "f1"])
        let forged = try await client.events(.outbox).first()
        XCTAssertEqual(forged.kind, .event)
        await client.destroy()
    }

    func testCredentialsAreSetForTheNextConnection() async throws {
        let client = try socketio(4).client()
        _ = try await client.emitWithAck("handshake")
        try client.setAuth(["a": 1])
        try client.setQuery(["token": "new"])
        try client.close()
        try client.open()
        let shake = try await client.emitWithAck("handshake").value
        XCTAssertEqual(shake["auth"], ["a": 1])
        XCTAssertEqual(shake["query"]["token"], "new")
        await client.destroy()
    }

    func testWhatWaitsIsFlushedOrDropped() async throws {
        let server = try socketio(4)
        let client = try server.client { $0.autoConnect = false }
        XCTAssertEqual(try client.state, .disconnected)
        try client.emit("echo", 1)
        try client.emit("echo", 2, volatile: true)
        await assertThrows(.timeout) { try await client.flush(timeout: .milliseconds(20)) }
        let canceled = Counter()
        let flushing = Task {
            do { try await client.flush() } catch is CancellationError { canceled.add() }
        }
        flushing.cancel()
        try await eventually("the wait to be canceled") { canceled.value == 1 }
        XCTAssertEqual(try client.info["droppedVolatile"], 1)
        XCTAssertEqual(try client.clearSendBuffer(), 1)
        let waiting = Task { try await client.emitWithAck("echo") }
        try await eventually("the request") { try client.info["pendingRequests"] == 1 }
        try client.destroySocket()
        await assertThrows(.canceled) { _ = try await waiting.value }
        try client.open()
        try client.emit("echo", 3)
        try await client.flush(timeout: .seconds(10))
        let echo = try await client.events("echo").first()
        XCTAssertEqual(echo.json, "3")
        await client.destroy()
    }

    func testAFullSendQueueIsAnError() async throws {
        let client = try socketio(4).client {
            $0.autoConnect = false
            $0.sendQueueBytes = 1024
        }
        await assertThrows(.queueFull) {
            for _ in 0..<100 { try client.emit("echo", "some bytes of text") }
        }
        await client.destroy()
    }

    func testALostConnectionEndsARequest() async throws {
        let server = try socketio(2)
        let client = try server.client()
        _ = try await client.emitWithAck("echo")
        let waiting = Task { try await client.emitWithAck("silent") }
        try await eventually("the request") {
            try await server.control("/control/stats")["events"].array?.last?["name"] == "silent"
        }
        try await server.control("/control/drop", [:])
        await assertThrows(.disconnected) { _ = try await waiting.value }
        await client.destroy()
    }

    /// A task that is canceled while its request is being made: whichever comes first, the outcome or the wait for it.
    func testACancellationNeverMakesATaskWaitForever() async throws {
        let client = try socketio(4).client { $0.ackTimeout = nil }
        let requests = client.connection.requests
        let canceled = Counter()
        // A task that waits forever can't be awaited here.
        Task {
            for _ in 0..<1000 {
                let call = Task {
                    try await requests.perform(on: client.handle) {
                        let request = im_client_emit_with_ack(client.handle, "silent", "1", 0, nil, nil)
                        withUnsafeCurrentTask { $0?.cancel() }
                        return request
                    }
                }
                if case .failure(is CancellationError) = await call.result { canceled.add() }
            }
        }
        try await eventually("all to be canceled") { canceled.value == 1000 }
        XCTAssertEqual(requests.count, 0)
        XCTAssertEqual(try client.info["pendingRequests"], 0)
        await client.destroy()
    }

    func testAPhoneTellsWhereItIs() async throws {
        let client = try socketio(4).client()
        _ = try await client.emitWithAck("echo")
        try client.networkChanged()
        try client.enterBackground()
        XCTAssertEqual(try client.info["background"], true)
        try client.enterForeground()
        XCTAssertEqual(try client.info["background"], false)
        await client.destroy()
    }

    func testTheLogTellsWhatItIsAskedFor() async throws {
        let lines = Counter()
        try Library.log(.debug) { level, line in
            if level.rawValue <= LogLevel.debug.rawValue, !line.isEmpty { lines.add() }
        }
        let client = try socketio(4).client()
        _ = try await client.emitWithAck("echo")
        try await eventually("a line") { lines.value > 0 }
        try Library.log(.off)
        await client.destroy()
    }

    func testManyTasksUseOneClient() async throws {
        for generation in [2, 4] {
            let client = try socketio(generation).client()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<20 {
                    group.addTask {
                        for number in 0..<20 {
                            let answer = try await client.emitWithAck("echo", [task, number])
                            XCTAssertEqual(try answer.decode([Int].self), [task, number])
                            client.events("echo").listener.remove()
                        }
                    }
                }
                try await group.waitForAll()
            }
            await client.destroy()
        }
    }

    /// Clients that end at any moment, from several tasks, while events and answers come.
    func testClientsEndAtAnyMoment() async throws {
        let server = try socketio(4)
        let before = Library.clientCount
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let client = try server.client()
                    let reader = Task { for await _ in client.events("flood") {} }
                    let asker = Task { while (try? await client.emitWithAck("echo")) != nil {} }
                    try client.emit("flood", 1000, 10)
                    try await Task.sleep(for: .milliseconds(number * 3))
                    async let first: Void = client.destroy()
                    async let second: Void = client.destroy()
                    _ = await (first, second)
                    await reader.value
                    await asker.value
                }
            }
            try await group.waitForAll()
        }
        try await eventually("all to be given back") { Library.clientCount == before }
    }

    func testShutdownEndsAllAndLetsNewClientsLive() async throws {
        let server = try socketio(4)
        let client = try server.client()
        let stream = client.events("echo")
        _ = try await client.emitWithAck("echo")
        try Library.shutdown()
        try await within { for await _ in stream {} }
        await assertThrows(.handle) { try client.emit("echo") }
        let next = try server.client()
        _ = try await next.emitWithAck("echo")
        await next.destroy()
    }

    @MainActor
    func testTheMainActorMayLoopOverEvents() async throws {
        let client = try socketio(4).client()
        let stream = client.events("burst")
        try client.emit("burst", 3)
        var seen: [Int] = []
        for await event in stream {
            seen.append(try event.decode(Int.self))
            if seen.count == 3 { break }
        }
        XCTAssertEqual(seen, [0, 1, 2])
        await client.destroy()
    }
}
