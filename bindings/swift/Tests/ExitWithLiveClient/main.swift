// Exits while its client receives: the tests look that this is no crash.
import Foundation
import ImClient

let client = try Client(root: CommandLine.arguments[1], namespace: "/")
client.on("flood") { _ in }
Task {
    var seen = 0
    for await _ in client.events("flood") {
        seen += 1
        if seen == 200 { exit(0) }
        try client.emit("flood", 5, 100)
    }
}
try client.emit("flood", 1000, 100)
RunLoop.main.run()
