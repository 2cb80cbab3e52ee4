import XCTest

@testable import ImClient

/// Each bad input of bindings/behaviours.json is an error of its own.
final class MatrixErrorTests: ServerTestCase {
    func testMatrixErrorUnknownOption() async throws {
        var options = Options(root: "http://localhost:1", namespace: "chat")
        options.raw["reconectionDelay"] = 5
        let error = await assertThrows(.option, "reconectionDelay", "reconnectionDelay") { _ = try Client(options) }
        XCTAssertEqual(error?.name, "IM_ERROR_OPTION")
        XCTAssertEqual(error.map { "\($0)" }?.hasPrefix("IM_ERROR_OPTION (-5): "), true)
        options.raw = ["delivery": "callback"]
        await assertThrows(.option, "delivery") { _ = try Client(options) }
    }

    func testMatrixErrorWrongType() async throws {
        for (name, value) in ["timeout": "soon", "reconnection": 1, "query": ["x"], "transports": "all"]
            as [String: JSON]
        {
            var options = Options(root: "http://localhost:1", namespace: "chat")
            options.raw[name] = value
            await assertThrows(.option, name) { _ = try Client(options) }
        }
        await assertThrows(.option, "root") { _ = try Client(root: "no server", namespace: "chat") }
        // What arrives is of another type than what is asked for.
        let server = try socketio(4)
        let client = try server.client()
        let answer = try await client.emitWithAck("echo", "text")
        await assertThrows(.json, "another shape") { _ = try answer.decode(Int.self) }
        await assertThrows(.notFound, "no argument 1") { _ = try answer.decode(Int.self, at: 1) }
        await assertThrows(.notFound, "no argument -1") { _ = try answer.decode(Int.self, at: -1) }
        await assertThrows(.invalidArgument) { _ = try await client.emitWithAck("echo", timeout: .milliseconds(-5)) }
        await assertThrows(.json, "deep") { try client.setQuery(["deep": ["x": 1]]) }
        // A message without its fields.
        await assertThrows(.json, "from") { _ = try await client.send(["type": 1] as JSON) }
        await client.destroy()
    }

    func testMatrixErrorInvalidJson() async throws {
        try await onBoth { server in
            let client = try server.client()
            _ = try await client.emitWithAck("echo")
            for text in ["{", "", "1,2", "nul", "[1]]"] {
                await assertThrows(.json) { try client.emit("echo", json: text) }
            }
            // C would see the text before the NUL alone.
            await assertThrows(.invalidArgument, "NUL") { try client.emit("echo", json: "1\0") }
            await assertThrows(.invalidArgument, "NUL") { try client.emit("echo\0", json: "1") }
            await assertThrows(.json) { try client.emit("echo", Double.nan) }
            await assertThrows(.json) { try client.emit("echo", ["x": [Double.infinity]]) }
            await assertThrows(.json) { _ = try await client.emitWithAck("echo", 1, Double.nan) }
            await assertThrows(.invalidArgument, "_placeholder") {
                try client.emit("echo", json: #"{"_placeholder":true,"num":0}"#)
            }
            await assertThrows(.json) { _ = try JSON(parsing: "{") }
            let seen = try await client.emitWithAck("handshake")
            XCTAssertNotNil(try seen.value["id"].string)
            // One packet for each of the two that were good.
            XCTAssertEqual(try client.info["sent"]["packets"], 2)
            await client.destroy()
        }
    }

    func testMatrixErrorClosedClient() async throws {
        try await onBoth { server in
            let client = try server.client()
            let stream = client.events("question")
            try client.emit("ask", 1)
            let question = try await stream.first()
            let waiting = Task { try await client.emitWithAck("silent") }
            try await eventually("the request") { try client.info["pendingRequests"] == 1 }
            await client.destroy()
            await client.destroy()
            await assertThrows(.canceled) { _ = try await waiting.value }
            for call in Self.calls(client) { await assertThrows(.handle) { try await call() } }
            await assertThrows(.handle) { try question.reply(1) }
            let later = try await within { await client.events("echo").makeAsyncIterator().isAtEnd }
            XCTAssert(later)
        }
    }

    private static func calls(_ client: Client) -> [() async throws -> Void] {
        [
            { try client.emit("echo", 1) }, { try client.emit("echo", json: "1") },
            { _ = try await client.emitWithAck("echo") },
            { _ = try await client.send(Message(from: "1", to: "2", content: "")) },
            { try client.open() }, { try client.close() }, { try client.destroySocket() }, { _ = try client.state },
            { _ = try client.socketID }, { _ = try client.info }, { try client.setAuth(nil) },
            { try client.setQuery([:]) },
            { try client.networkChanged() }, { try client.enterBackground() }, { try client.enterForeground() },
            { try client.clearSendBuffer() }, { try await client.flush() },
        ]
    }

    func testMatrixErrorTimeout() async throws {
        try await onBoth { server in
            let client = try server.client { $0.ackTimeout = .milliseconds(40) }
            let error = await assertThrows(.timeout) {
                _ = try await client.emitWithAck("silent", timeout: .milliseconds(30))
            }
            XCTAssertEqual(error?.name, "IM_ERROR_TIMEOUT")
            do {
                _ = try await client.emitWithAck("silent")
                XCTFail("the option's time was not kept")
            } catch ImError.timeout {
                XCTAssertEqual(try client.info["expiredRequests"], 2)
            }
            await client.destroy()
        }
    }

    func testMatrixErrorCanceled() async throws {
        try await onBoth { server in
            let client = try server.client()
            let calls: [@Sendable () async throws -> Arguments] = [
                { try await client.emitWithAck("silent") },
                { try await client.send(Message(from: "1", to: "2", content: "never answered here")) },
            ]
            for call in calls {
                let waiting = Task { try await call() }
                try await eventually("the request") {
                    let info = try client.info
                    return info["pendingRequests"] == 1 || info["outbox"]["messages"] == 1
                }
                waiting.cancel()
                do {
                    _ = try await within { try await waiting.value }
                    XCTFail("it was not canceled")
                } catch is CancellationError {}
            }
            let info = try client.info
            XCTAssertEqual(info["pendingRequests"], 0)
            XCTAssertEqual(info["outbox"]["messages"], 0)
            // A task that is canceled already makes no request.
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.emitWithAck("echo")
            }
            if case .success = await early.result { XCTFail("a canceled task got an answer") }
            // So ends a wait for events.
            let listening = Task { await client.events("never").makeAsyncIterator().isAtEnd }
            listening.cancel()
            let ended = try await within { await listening.value }
            XCTAssert(ended)
            await client.destroy()
        }
    }

    func testMatrixErrorThrowingCallback() async throws {
        struct Mine: Error {}
        try await onBoth { server in
            let (reports, calls) = (Counter(), Counter())
            var options = Options(root: server.root, namespace: "/")
            options.reconnection = false
            let client = try Client(options) { error, event in
                if error is Mine, event.name == "burst" { reports.add() }
            }
            client.on("burst") { _ in
                calls.add()
                throw Mine()
            }
            try client.emit("burst", 5)
            try await eventually("five calls, five reports") { calls.value == 5 && reports.value == 5 }
            XCTAssertEqual(try client.state, .connected)
            await client.destroy()
        }
    }

    func testMatrixErrorInFinalizer() async throws {
        final class Owner: @unchecked Sendable {
            let client: Client
            let outcomes: Counter

            init(_ client: Client, _ outcomes: Counter) {
                (self.client, self.outcomes) = (client, outcomes)
            }

            deinit {
                try? client.emit("echo", "last words")
                try? client.close()
                let client = client
                Task { [outcomes] in
                    await client.destroy()
                    outcomes.add()
                }
            }
        }
        try await onBoth { server in
            let outcomes = Counter()
            let before = Library.clientCount
            for _ in 0..<5 {
                // One with a handler, one with a stream that is let go, one that calls in its owner's deinit.
                let heard = try server.client()
                heard.on("echo") { _ in }
                let streamed = try server.client()
                _ = try await streamed.events(.connect).first()
                _ = Owner(try server.client(), outcomes)
            }
            try await eventually("all to be given back") { Library.clientCount == before && outcomes.value == 5 }
        }
    }

    func testMatrixErrorOtherVersion() async throws {
        let error = await assertThrows(.version, "99.0.0", Library.version) { try Library.check(madeFor: 99_00_00) }
        XCTAssertEqual(error?.name, "IM_ERROR_VERSION")
        XCTAssertNoThrow(try Library.check())
    }
}

extension EventStream.Iterator {
    /// Whether nothing comes any more.
    fileprivate var isAtEnd: Bool {
        get async {
            var place = self
            return await place.next() == nil
        }
    }
}
