import CImClient

/// What was polled and not given back yet, in bytes. While that is too much, nothing but outcomes of requests is taken: events
/// stay in the library, which is bounded itself. So a task that awaits an answer inside its loop over events gets it.
final class Backlog: Sendable {
    private struct State {
        var held = 0
        var full = false
    }

    private let client: im_client
    private let limit: Int
    private let state = Locked(State())

    init(of client: im_client, limit: Int) {
        (self.client, self.limit) = (client, limit)
    }

    /// Whether nothing more is to be held; the pump is woken when that changes.
    var isFull: Bool {
        state.use { state in
            state.full = state.held >= limit
            return state.full
        }
    }

    func hold(_ cost: Int) {
        state.use { $0.held += cost }
    }

    /// Half of it has to be gone, so that the pump is not woken for each event.
    func give(_ cost: Int) {
        let roomAgain = state.use { state in
            state.held -= cost
            guard state.full, state.held <= limit / 2 else { return false }
            state.full = false
            return true
        }
        if roomAgain { im_client_wake(client) }
    }
}
