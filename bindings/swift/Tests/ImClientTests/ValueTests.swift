import XCTest

@testable import ImClient

/// Values in and out: options, JSON, messages.
final class ValueTests: ServerTestCase {
    func testTheLibraryTakesEveryOptionThatHasAProperty() async throws {
        var options = Options(
            root: "http://127.0.0.1:1", namespace: "chat", query: ["token": "t", "userId": "1", "n": 1])
        options.auth = ["a": ["b": nil]]
        (options.askAuth, options.askQuery, options.autoConnect) = (true, true, false)
        (options.path, options.addTrailingSlash, options.protocol) = ("/ws", false, .four)
        (options.transports, options.tryAllTransports) = ([.polling, .websocket], false)
        (options.upgrade, options.rememberUpgrade, options.requestTimeout) = (false, true, .seconds(3))
        (options.multiplex, options.forceNew, options.timeout) = (true, true, .milliseconds(1500))
        (options.reconnection, options.reconnectionAttempts) = (true, 3)
        (options.reconnectionDelay, options.reconnectionDelayMax) = (.milliseconds(5), .seconds(1))
        (options.randomizationFactor, options.ackTimeout, options.timestampRequests) = (0.25, .seconds(1), true)
        (options.retries, options.timestampParam, options.eventNames) = (1, "ts", .constant)
        (options.pullOnConnect, options.receipts, options.messageTimeout) = (false, false, .seconds(60))
        (options.inFlight, options.dedupe, options.sendQueueBytes) = (2, false, 1 << 20)
        options.store = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).store").path
        (options.receiveQueueBytes, options.maxPauseMs, options.maxMessageBytes) = (1 << 20, .seconds(1), 1 << 20)
        (options.extraHeaders, options.transportOptions) = (["x": "y"], ["polling": ["extraHeaders": ["x": "z"]]])
        (options.protocols, options.proxy, options.localAddress) = (["chat"], "none", "127.0.0.1")
        (options.servername, options.rejectUnauthorized) = ("example.org", true)
        let set = options.fields
        // Those that want real keys and certificates are missing.
        let rest = ["ca", "caFile", "cert", "key", "pinnedPublicKeys", "parser"]
        (options.ca, options.caFile, options.cert, options.key) = (["x"], "x", ["x"], "x")
        (options.pinnedPublicKeys, options.parser) = (["x"], .default)
        XCTAssertEqual(Set(options.fields.keys).subtracting(set.keys), Set(rest))
        XCTAssertEqual(set["timeout"], 1500)
        (options.ca, options.caFile, options.cert, options.key, options.pinnedPublicKeys) = (nil, nil, nil, nil, nil)
        options.raw["messageTimeout"] = .null
        let client = try Client(options)
        await client.destroy()
    }

    func testQueriesOfPhonesSayThatTheyAreMobile() throws {
        let version = OperatingSystemVersion(majorVersion: 17, minorVersion: 4, patchVersion: 1)
        let agent = DeviceType.userAgent(system: "iOS", version: version)
        XCTAssertEqual(agent, "ImClient/\(Library.version) (Mobile; iOS 17.4.1)")
        let query = DeviceType.added(to: ["token": "t"], system: "iOS", version: version)
        XCTAssertEqual(query, ["token": "t", "deviceType": .string(agent)])
        XCTAssertEqual(DeviceType.added(to: nil, system: "iOS", version: version), ["deviceType": .string(agent)])
        let own: [String: JSON] = ["deviceType": "tablet (Android)"]
        XCTAssertEqual(DeviceType.added(to: own, system: "iOS", version: version), own)
        // This machine is none.
        XCTAssertEqual(DeviceType.added(to: ["token": "t"]), ["token": "t"])
    }

    /// A server counts such a client as another class of device: it stays when a desktop of the same user comes.
    func testAServerTakesAPhoneForOne() async throws {
        for server in try imServers() {
            let version = OperatingSystemVersion(majorVersion: 17, minorVersion: 0, patchVersion: 0)
            let query = DeviceType.added(to: ["token": "t", "userId": "111"], system: "iOS", version: version)
            let phone = try server.client("chat", query)
            let copies = phone.events(.chatMessage)
            _ = try await phone.events(.connect).first()
            let desktop = try server.user("111")
            _ = try await desktop.send(Message(from: "111", to: "222", content: "to both of mine"))
            let copy = try await copies.first().envelope(Message.self)
            XCTAssert(copy.isCopy)
            XCTAssertEqual(try phone.state, .connected)
            await phone.destroy()
            await desktop.destroy()
        }
    }

    func testJSONIsReadAndWritten() throws {
        let value: JSON = ["a": [1, 1.5, "ü\n", nil, true, -9_007_199_254_740_993], "b": [:], "c": "\(1)x"]
        XCTAssertEqual(try JSON(parsing: try value.text()), value)
        XCTAssertEqual(value["a"][5].integer, -9_007_199_254_740_993)
        XCTAssertEqual([value["a"][0].number, value["a"][1].number, value["c"].number], [1, 1.5, nil])
        XCTAssertEqual(value["a"][3], .null)
        XCTAssertEqual(value["no"]["such"][7], .null)
        XCTAssertEqual([value["a"][4].bool, value["c"].bool], [true, nil])
        XCTAssertEqual(value["c"].string, "1x")
        XCTAssertEqual([value["a"].array?.count, value.object?.count], [6, 3])
        XCTAssertEqual("\(["a": [1, "x", nil]] as JSON)", #"{"a":[1,"x",null]}"#)
        XCTAssert("\(JSON.binary(Data([7])))".contains("_placeholder"))
        XCTAssertEqual("\(JSON.number(.nan))", "a number that is no JSON")
    }

    func testWhatSwiftCanNotHoldIsNamed() async {
        for text in ["1e400", "[1e400]", #"{"a":["\ud800"]}"#] {
            await assertThrows(.json, "half a surrogate pair") { _ = try JSON(parsing: text) }
        }
    }

    /// As the IM protocol has its times, and JavaScript.
    func testDatesAreMillisecondsSince1970() async throws {
        let client = try socketio(4).client()
        let date = Date(timeIntervalSince1970: 1_700_000_000.5)
        let echo = try await client.emitWithAck("echo", date, ["at": date])
        XCTAssertEqual(echo.json, "1700000000500")
        XCTAssertEqual(try echo.decode(Date.self), date)
        XCTAssertEqual(try echo.decode([String: Date].self, at: 1), ["at": date])
        await client.destroy()
    }

    func testMessagesAreCompletedNamedAndCompared() async throws {
        let message = Message(from: "a", to: "b", content: "hi")
        let completed = try message.completed()
        XCTAssertEqual([completed.from, completed.to, completed.content], ["a", "b", "hi"])
        XCTAssertFalse(completed.fp?.isEmpty ?? true)
        XCTAssertNotNil(completed.time)
        XCTAssertEqual(try Message.timelineID(from: "a", to: "b"), "a@b")
        await assertThrows(.invalidArgument, "NUL") { _ = try Message.timelineID(from: "a\0b", to: "c") }
        var recalled = completed
        recalled.type = .recalledText
        XCTAssertEqual(try Message.unique([completed, completed, recalled]), [completed, recalled])
    }

    func testEnvelopesAreRead() throws {
        func envelope(_ text: String) throws -> Envelope<[Int]> {
            try JSON.decode(Envelope<[Int]>.self, from: text)
        }
        let good = try envelope(#"{"meta":{"timestamp":1,"sync":true},"code":0,"data":{"action":"X","payload":[1]}}"#)
        XCTAssertEqual([good.code], [.ok])
        XCTAssertEqual(good.payload, [1])
        XCTAssert(good.isCopy)
        let refused = try envelope(#"{"meta":{"msg":"no"},"code":20001,"data":{"payload":"not a list"}}"#)
        XCTAssertEqual(refused.code, .authFailed)
        XCTAssertEqual(refused.message, "no")
        XCTAssertNil(refused.payload)
        XCTAssertNil(try envelope(#"{"code":0}"#).payload)
        XCTAssertThrowsError(try envelope(#"{"data":{}}"#))
        XCTAssertEqual(BusinessCode(rawValue: 7).name, "7")
    }

    func testTimesAreRounded() {
        XCTAssertEqual(Duration.seconds(2).milliseconds, 2000)
        XCTAssertEqual(Duration.microseconds(10).milliseconds, 1)
        XCTAssertEqual(Duration.seconds(-1).milliseconds, -1000)
        XCTAssertEqual(Duration.zero.milliseconds, 1)
        // A deadline that is just over is not "without end", which is 0.
        XCTAssertEqual(Duration.microseconds(-10).milliseconds, -1)
        XCTAssertEqual(Duration.seconds(Int64.max).milliseconds, .max)
        XCTAssertEqual(Duration.seconds(Int64.min).milliseconds, -.max)
        let edge = Duration(
            secondsComponent: .max / 1000, attosecondsComponent: 999_000_000_000_000_000)
        XCTAssertEqual(edge.milliseconds, .max)
    }

    func testErrorsSayWhatTheyAre() {
        let error = ImError(.timeout, "too late")
        XCTAssertEqual("\(error)", "IM_ERROR_TIMEOUT (-8): too late")
        XCTAssertEqual(error.localizedDescription, "\(error)")
        XCTAssert(ImError.timeout ~= error)
        XCTAssertFalse(ImError.handle ~= error)
        XCTAssertFalse(ImError.timeout ~= CancellationError())
        XCTAssertEqual(ImError(outcome: -77, reply: nil).status, .unknown)
        // Every status is the library's own.
        for status in Status.allCases where status != .unknown {
            XCTAssertNotEqual(ImError(status, "").name, "IM_ERROR_UNKNOWN", "\(status)")
        }
    }
}
