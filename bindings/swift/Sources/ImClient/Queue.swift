/// What waits for one listener, in the order in which it came.
final class Queue: Sendable {
    private struct State {
        /// The next is the last of `near`; where that is empty, `far` is turned round to be it.
        var near: [Delivery] = []
        var far: [Delivery] = []
        var listeners: [(id: Int, continuation: CheckedContinuation<Delivery?, Never>)] = []
        var ids = 0
        var canceled: Set<Int> = []
        var over = false

        mutating func popFirst() -> Delivery? {
            if near.isEmpty { (near, far) = (far.reversed(), []) }
            return near.popLast()
        }
    }

    private let state = Locked(State())

    func put(_ delivery: Delivery) {
        let listener = state.use { state -> CheckedContinuation<Delivery?, Never>? in
            guard !state.over else { return nil }
            guard !state.listeners.isEmpty else {
                state.far.append(delivery)
                return nil
            }
            return state.listeners.removeFirst().continuation
        }
        listener?.resume(returning: delivery)
    }

    /// The next, or nil at the end or where the task is canceled.
    func next() async -> Delivery? {
        let id = state.use { state in
            state.ids += 1
            return state.ids
        }
        defer { state.use { _ = $0.canceled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { listen(id, $0) }
        } onCancel: {
            cancel(id)
        }
    }

    /// Nothing comes any more; what waits is not given out.
    func end() {
        // What waits is let go outside of the lock, for that gives events back.
        let (listeners, waiting) = state.use { state in
            defer { (state.over, state.listeners, state.near, state.far) = (true, [], [], []) }
            return (state.listeners, [state.near, state.far])
        }
        for listener in listeners { listener.continuation.resume(returning: nil) }
        withExtendedLifetime(waiting) {}
    }

    private func listen(_ id: Int, _ continuation: CheckedContinuation<Delivery?, Never>) {
        let now: Delivery?? = state.use { state in
            if state.over || state.canceled.contains(id) { return .some(nil) }
            if let first = state.popFirst() { return .some(first) }
            state.listeners.append((id, continuation))
            return .none
        }
        if let now { continuation.resume(returning: now) }
    }

    private func cancel(_ id: Int) {
        let listener = state.use { state -> CheckedContinuation<Delivery?, Never>? in
            guard let place = state.listeners.firstIndex(where: { $0.id == id }) else {
                state.canceled.insert(id)
                return nil
            }
            return state.listeners.remove(at: place).continuation
        }
        listener?.resume(returning: nil)
    }
}
