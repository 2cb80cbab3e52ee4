import Foundation

/// The flags of the command line, `--name value` each; ends the program with 2 where there are others.
public func flags(_ defaults: [String: String]) -> [String: String] {
    var values = defaults
    var rest = CommandLine.arguments.dropFirst()
    while let name = rest.popFirst() {
        guard name.hasPrefix("--"), defaults[String(name.dropFirst(2))] != nil, let value = rest.popFirst() else {
            let known = defaults.keys.sorted().map { "[--\($0) …]" }.joined(separator: " ")
            FileHandle.standardError.write(Data("usage: \(CommandLine.arguments[0]) \(known)\n".utf8))
            exit(2)
        }
        values[String(name.dropFirst(2))] = value
    }
    return values
}

/// Runs a program; an error ends it with 1, in one line.
public func run(_ program: () async throws -> Void) async {
    do {
        try await program()
    } catch {
        FileHandle.standardError.write(Data("\(CommandLine.arguments[0]): \(error)\n".utf8))
        exit(EXIT_FAILURE)
    }
}

/// Where the server is, unless a flag says it.
public var defaultRoot: String { ProcessInfo.processInfo.environment["IM_ROOT"] ?? "http://127.0.0.1:7001" }

/// One line to stdout, at once. Control characters in other people's text must not reach the terminal.
public func say(_ text: String) {
    let controls = CharacterSet.controlCharacters
    let plain = String(String.UnicodeScalarView(text.unicodeScalars.map { controls.contains($0) ? " " : $0 }))
    FileHandle.standardOutput.write(Data("\(plain)\n".utf8))
}

/// The lines of stdin. Reading blocks, so it has a thread of its own; `readLine` would hold a lock that `exit` waits for.
public func lines() -> AsyncStream<String> {
    AsyncStream { lines in
        Thread.detachNewThread {
            var rest = Data()
            while case let more = FileHandle.standardInput.availableData, !more.isEmpty {
                rest.append(more)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeSubrange(...end)
                }
            }
            if !rest.isEmpty { lines.yield(String(decoding: rest, as: UTF8.self)) }
            lines.finish()
        }
    }
}
