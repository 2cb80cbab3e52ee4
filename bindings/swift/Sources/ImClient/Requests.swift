import CImClient

/// Calls that await an outcome, by the library's number of the request. The outcome comes by the pump, once for each request, perhaps
/// before the call that made the request has returned its number.
final class Requests: Sendable {
    typealias Outcome = Result<Arguments, any Error>

    private enum State {
        case awaited(CheckedContinuation<Arguments, any Error>)
        /// The outcome was first.
        case decided(Outcome)
    }

    private struct Book {
        var states: [Int64: State] = [:]
        /// Why nothing is awaited any more.
        var end: ImError?
    }

    private let book = Locked(Book())

    /// How many are in the book.
    var count: Int { book.use { $0.states.count } }

    /// Makes a request and awaits its outcome. A canceled task cancels the request, whose outcome comes all the same.
    func perform(on client: im_client, _ make: () throws -> Int64) async throws -> Arguments {
        try Task.checkCancellation()
        let request = try make()
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { register(request, $0) }
            } onCancel: {
                im_client_cancel(client, request)
            }
        } catch ImError.canceled where Task.isCancelled {
            throw CancellationError()
        }
    }

    /// The outcome of a request has come.
    func settle(_ request: Int64, _ outcome: Outcome) {
        let awaited = book.use { book -> CheckedContinuation<Arguments, any Error>? in
            if case .awaited(let continuation) = book.states.removeValue(forKey: request) { return continuation }
            if book.end == nil { book.states[request] = .decided(outcome) }
            return nil
        }
        awaited?.resume(with: outcome)
    }

    /// Ends all that is awaited, and will be.
    func end(_ error: ImError) {
        let states = book.use { book in
            defer { (book.states, book.end) = ([:], error) }
            return book.states.values
        }
        for case .awaited(let continuation) in states { continuation.resume(throwing: error) }
    }

    private func register(_ request: Int64, _ continuation: CheckedContinuation<Arguments, any Error>) {
        let outcome: Outcome? = book.use { book in
            if case .decided(let outcome) = book.states.removeValue(forKey: request) { return outcome }
            if let end = book.end { return .failure(end) }
            book.states[request] = .awaited(continuation)
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }
}
