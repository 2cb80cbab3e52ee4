import Foundation
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import ImClient

/// A real server in a process of its own; it ends when its stdin closes, with this object or with the tests.
final class Server: @unchecked Sendable {
    let port: Int
    private let controlPort: Int
    private let process = Process()
    private let stdin = Pipe()

    static let tree = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/").dropFirst()
    static let target = ProcessInfo.processInfo.environment["CARGO_TARGET_DIR"] ?? "\(tree)/target"

    var root: String { "http://127.0.0.1:\(port)" }

    /// The official server of a generation.
    static func socketio(_ generation: Int, _ flags: [String]) throws -> Server {
        try node("socketio.js", ["--generation", "\(generation)"] + flags)
    }

    /// Egg with the IM protocol, on Socket.IO 2.
    static func egg() throws -> Server {
        try node("egg.js", [])
    }

    /// The embedded server, which speaks both generations.
    static func embedded() throws -> Server {
        try Server("\(target)/debug/im-server", ["--port", "0", "--exit-with-stdin", "--quiet"])
    }

    private static func node(_ script: String, _ flags: [String]) throws -> Server {
        try Server("/usr/bin/env", ["node", "\(tree)/tests/servers/\(script)"] + flags)
    }

    private init(_ program: String, _ arguments: [String]) throws {
        struct Ready: Decodable {
            let port: Int
            let controlPort: Int?
        }
        let stdout = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let more = stdout.fileHandleForReading.availableData
            guard !more.isEmpty else { throw GaveUp("\(program) \(arguments) ended before it was ready") }
            line.append(more)
        }
        let ready = try JSONDecoder().decode(Ready.self, from: line)
        (port, controlPort) = (ready.port, ready.controlPort ?? ready.port)
    }

    deinit {
        try? stdin.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Asks the server's control API, or another address of it.
    @discardableResult
    func control(_ path: String, _ body: JSON? = nil) async throws -> JSON {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(controlPort)\(path)")!)
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(try body.text().utf8)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            throw GaveUp("\(path): \(String(decoding: data, as: UTF8.self))")
        }
        return data.isEmpty ? .null : try JSON(parsing: String(decoding: data, as: UTF8.self))
    }

    /// A client of this server.
    func client(_ namespace: String = "/", _ query: [String: JSON]? = nil, _ set: (inout Options) -> Void = { _ in })
        throws -> Client
    {
        var options = Options(root: root, namespace: namespace, query: query)
        options.reconnectionDelay = .milliseconds(50)
        // So that a test fails, and does not wait.
        options.ackTimeout = .seconds(60)
        set(&options)
        return try Client(options)
    }

    /// A user's client in the namespace chat.
    func user(_ id: String) throws -> Client {
        try client("chat", ["token": "t", "userId": .string(id)])
    }
}

/// Tests with servers, which live until their test has ended: Swift would let go of one that is only named early.
class ServerTestCase: XCTestCase {
    private var servers: [Server] = []

    /// The official server of a generation.
    func socketio(_ generation: Int, _ flags: String...) throws -> Server {
        try kept(.socketio(generation, flags))
    }

    /// Egg and the embedded server: the whole IM protocol.
    func imServers() throws -> [Server] {
        [try kept(.egg()), try kept(.embedded())]
    }

    /// Does it on the official server of each generation.
    func onBoth(_ body: (Server) async throws -> Void) async throws {
        for generation in [2, 4] { try await body(socketio(generation)) }
    }

    private func kept(_ server: Server) -> Server {
        servers.append(server)
        return server
    }

    override func tearDown() {
        servers = []
    }
}

/// What a test says when it can't go on.
struct GaveUp: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Does something that has to end in time.
func within<Value: Sendable>(
    _ limit: Duration = .seconds(60), _ what: String = "this", _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw GaveUp("\(what) did not end within \(limit)")
        }
        defer { group.cancelAll() }
        return try await group.next()!
    }
}

/// Waits until something holds.
func eventually(_ what: String, _ holds: @escaping @Sendable () async throws -> Bool) async throws {
    try await within(.seconds(60), what) {
        while try await !holds() { try await Task.sleep(for: .milliseconds(5)) }
    }
}

extension EventStream {
    /// The next event; fails the test where none comes in time.
    func first(where wanted: @escaping @Sendable (Event) throws -> Bool = { _ in true }) async throws -> Event {
        try await within(.seconds(60), "the next event") {
            for await event in self where try wanted(event) { return event }
            throw GaveUp("the stream ended")
        }
    }
}

/// Expects a call to fail in one way; gives the error.
@discardableResult
func assertThrows(
    _ status: Status, _ words: String..., file: StaticString = #filePath, line: UInt = #line,
    _ body: () async throws -> Void
) async -> ImError? {
    do {
        try await body()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch let error as ImError {
        XCTAssertEqual(error.status, status, "\(error)", file: file, line: line)
        XCTAssertEqual(error.code, status.rawValue, file: file, line: line)
        for word in words { XCTAssert(error.message.contains(word), "\(word) in: \(error)", file: file, line: line) }
        return error
    } catch {
        XCTFail("\(error)", file: file, line: line)
    }
    return nil
}
