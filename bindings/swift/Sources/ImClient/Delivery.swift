import CImClient

/// A polled event on its way to those who listen. It is given back when nobody has it any more: that counts as delivered, and
/// a message gets its receipt, where somebody took it; otherwise the server keeps the message.
final class Delivery: @unchecked Sendable {
    private let event: UnsafePointer<im_event>
    private let backlog: Backlog
    private let taken = Locked(false)
    let name: EventName
    let cost: Int

    init(_ event: UnsafePointer<im_event>, backlog: Backlog) {
        self.event = event
        self.backlog = backlog
        name = EventName(String(bytes: event.pointee.name, count: event.pointee.name_len)).canonical
        cost = Self.cost(of: event)
        backlog.hold(cost)
    }

    deinit {
        if taken.use({ $0 }) {
            im_event_release(event)
        } else {
            im_event_discard(event)
        }
        backlog.give(cost)
    }

    /// For a listener who deals with it from now on.
    func take() -> Event {
        taken.use { $0 = true }
        return Event(event)
    }

    private static func cost(of event: UnsafePointer<im_event>) -> Int {
        let blobs = (0..<event.pointee.blob_count).reduce(0) { sum, index in
            var blob = im_blob()
            _ = im_event_blob(event, index, &blob)
            return sum + blob.len
        }
        return overhead + event.pointee.name_len + event.pointee.json_len + blobs
    }

    /// What an event without a content costs, about.
    private static let overhead = 256
}
