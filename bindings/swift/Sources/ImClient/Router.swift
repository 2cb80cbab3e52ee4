import Foundation

/// Which listener gets which event. What comes before anybody ever listened to its name waits a while: per client the newest 64,
/// at most 256 KiB, each for 10 s, as the library itself has it where it calls.
final class Router: Sendable {
    private struct Early {
        let delivery: Delivery
        let since: Date
    }

    private struct State {
        var listeners: [(id: Int, names: Set<EventName>, queue: Queue)] = []
        var ids = 0
        /// Names that somebody listened to once; all of them, if somebody listened to all.
        var known: Set<EventName> = []
        var allKnown = false
        var early: [Early] = []
        var over = false
    }

    private static let earlyEvents = 64
    private static let earlyBytes = 256 << 10
    private static let earlySeconds: TimeInterval = 10

    private let state = Locked(State())

    /// Listens to these names, none for all: what waited for them comes first.
    func listen(to names: Set<EventName>) -> (id: Int, queue: Queue) {
        let names = Set(names.map(\.canonical))
        let queue = Queue()
        let (id, dropped, over) = state.use { state -> (Int, [Early], Bool) in
            state.ids += 1
            guard !state.over else { return (state.ids, [], true) }
            let all = state.early
            Self.expire(&state)
            for early in state.early where Self.wants(names, early.delivery) { queue.put(early.delivery) }
            state.early.removeAll { Self.wants(names, $0.delivery) }
            state.known.formUnion(names)
            state.allKnown = state.allKnown || names.isEmpty
            state.listeners.append((state.ids, names, queue))
            return (state.ids, all, false)
        }
        // Let go outside of the lock, for that gives events back.
        withExtendedLifetime(dropped) {}
        if over { queue.end() }
        return (id, queue)
    }

    func remove(_ id: Int) {
        let removed = state.use { state -> Queue? in
            guard let place = state.listeners.firstIndex(where: { $0.id == id }) else { return nil }
            return state.listeners.remove(at: place).queue
        }
        removed?.end()
    }

    func route(_ delivery: Delivery) {
        let (queues, dropped) = state.use { state -> ([Queue], [Early]) in
            let queues = state.listeners.filter { Self.wants($0.names, delivery) }.map(\.queue)
            let all = state.early
            if queues.isEmpty, !state.over, !state.allKnown, !state.known.contains(delivery.name) {
                state.early.append(Early(delivery: delivery, since: Date()))
                Self.expire(&state)
            }
            return (queues, all)
        }
        for queue in queues { queue.put(delivery) }
        withExtendedLifetime(dropped) {}
    }

    func end() {
        let (listeners, early) = state.use { state in
            defer { (state.over, state.listeners, state.early) = (true, [], []) }
            return (state.listeners, state.early)
        }
        for listener in listeners { listener.queue.end() }
        withExtendedLifetime(early) {}
    }

    private static func wants(_ names: Set<EventName>, _ delivery: Delivery) -> Bool {
        names.isEmpty || names.contains(delivery.name)
    }

    private static func expire(_ state: inout State) {
        let oldest = Date(timeIntervalSinceNow: -earlySeconds)
        var bytes = state.early.reduce(0) { $0 + $1.delivery.cost }
        while let first = state.early.first,
            first.since < oldest || state.early.count > earlyEvents || bytes > earlyBytes
        {
            bytes -= first.delivery.cost
            state.early.removeFirst()
        }
    }
}
