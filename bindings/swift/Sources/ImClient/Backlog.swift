import Foundation

/// What was polled and not given back yet, in bytes; the pump rests while that is too much, and the library keeps the rest.
///
/// A task that awaits an answer inside its loop over events does not take events meanwhile, and the answer is behind them. So
/// while answers are awaited the pump goes on, up to a larger bound; what fills that one too, without anybody taking anything,
/// would wait for itself for ever.
final class Backlog: @unchecked Sendable {
    struct Limits {
        var usual = 1 << 20
        var awaited = 8 << 20
        var patience: TimeInterval = 10
    }

    enum Room {
        case free, stuck, over
    }

    private let condition = NSCondition()
    private let limits: Limits
    private var held = 0
    private var given = 0
    private var awaited = 0
    private var over = false

    init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    func hold(_ cost: Int) {
        change { held += cost }
    }

    func give(_ cost: Int) {
        change {
            held -= cost
            given += 1
        }
    }

    /// An answer is awaited, or no longer.
    func await(_ more: Int) {
        change { awaited += more }
    }

    func end() {
        change { over = true }
    }

    /// Rests until there is room.
    func room() -> Room {
        condition.lock()
        defer { condition.unlock() }
        while !over {
            if held < (awaited > 0 ? limits.awaited : limits.usual) { return .free }
            let before = given
            if awaited == 0 {
                condition.wait()
            } else if !condition.wait(until: Date(timeIntervalSinceNow: limits.patience)), given == before, awaited > 0 {
                return .stuck
            }
        }
        return .over
    }

    private func change(_ body: () -> Void) {
        condition.lock()
        body()
        condition.broadcast()
        condition.unlock()
    }
}
