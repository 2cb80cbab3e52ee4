import CImClient

/// Calls that await an outcome, by the library's number of the request. The outcome comes by the pump, perhaps before the call
/// that made the request has returned its number.
final class Requests: Sendable {
    typealias Outcome = Result<Arguments, any Error>

    private enum State {
        case awaited(CheckedContinuation<Arguments, any Error>)
        /// The outcome was first.
        case decided(Outcome)
        /// Nobody waits any more; the outcome is still to come.
        case abandoned
        case finished
    }

    private struct Book {
        var states: [Int64: State] = [:]
        /// Why nothing is awaited any more.
        var end: ImError?
    }

    private let book = Locked(Book())

    /// Makes a request and awaits its outcome. A canceled task cancels the request.
    func perform(on client: im_client, _ make: () throws -> Int64) async throws -> Arguments {
        try Task.checkCancellation()
        let request = try make()
        defer { forget(request) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { register(request, $0) }
        } onCancel: {
            // In this order: the library's outcome must not be there first.
            cancel(request)
            im_client_cancel(client, request)
        }
    }

    /// The outcome of a request has come.
    func settle(_ request: Int64, _ outcome: Outcome) {
        resume(
            book.use { book in
                switch book.states[request] {
                case .awaited(let continuation):
                    book.states[request] = .finished
                    return continuation
                case .abandoned: book.states[request] = nil
                case .finished, .decided: break
                case nil: book.states[request] = .decided(outcome)
                }
                return nil
            }, outcome)
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
            switch book.states[request] {
            case .decided(let outcome):
                book.states[request] = .finished
                return outcome
            case .abandoned: return .failure(CancellationError())
            default:
                if let end = book.end { return .failure(end) }
                book.states[request] = .awaited(continuation)
                return nil
            }
        }
        if let outcome { continuation.resume(with: outcome) }
    }

    private func cancel(_ request: Int64) {
        let awaited: CheckedContinuation<Arguments, any Error>? = book.use { book in
            switch book.states[request] {
            case .awaited(let continuation):
                book.states[request] = .abandoned
                return continuation
            case nil:
                book.states[request] = .abandoned
                return nil
            default: return nil
            }
        }
        resume(awaited, .failure(CancellationError()))
    }

    private func resume(_ continuation: CheckedContinuation<Arguments, any Error>?, _ outcome: Outcome) {
        continuation?.resume(with: outcome)
    }

    private func forget(_ request: Int64) {
        book.use { book in
            if case .finished = book.states[request] { book.states[request] = nil }
        }
    }
}
