import CImClient
import Foundation

/// The library's client with the one thread that polls it. The thread keeps this alive until the library's client is gone; it
/// never keeps a `Client`.
final class Connection: Sendable {
    /// Told of errors that no caller can be told.
    typealias Reporter = @Sendable (any Error, Event) -> Void

    let handle: im_client
    let requests = Requests()
    private let backlog: Backlog
    private let router = Router()
    private let providers: [EventName: CredentialsProvider]
    private let report: Reporter

    /// `limit`: so many bytes of events may be held at a time.
    init(_ options: Options, limit: Int, report: @escaping Reporter) throws {
        try Library.check()
        handle = im_client_new(try options.json())
        guard handle != 0 else { throw ImError.last() }
        backlog = Backlog(of: handle, limit: limit)
        providers = [.auth: options.authProvider, .query: options.queryProvider].compactMapValues { $0 }
        self.report = report
        let pump = Thread { self.pump() }
        pump.name = "im_client events"
        pump.start()
    }

    // Listeners.

    func listen(to names: Set<EventName>) -> Listener {
        let (id, queue) = router.listen(to: names)
        // Heartbeats come only where the library knows that somebody wants them.
        let beats = names.contains(.ping) ? im_client_on(handle, EventName.ping.rawValue, { _, _ in }, nil) : 0
        return Listener(queue: queue) { [self] in
            router.remove(id)
            if beats > 0 { im_client_off(handle, beats) }
        }
    }

    /// Runs a handler for each event, one after the other; what it throws is reported, and the next event comes.
    func run(_ listener: Listener, _ handler: @escaping @Sendable (Event) async throws -> Void) {
        Task { [report] in
            while let delivery = await listener.queue.next() {
                let event = delivery.take()
                do {
                    try await handler(event)
                } catch {
                    report(error, event)
                }
                // It counts as delivered now, and not when it was last read.
                withExtendedLifetime(delivery) {}
            }
        }
    }

    // The end.

    /// Ends everything at once; `done` is called when the library has given everything back. Never blocks.
    func destroy(_ done: @escaping @Sendable () -> Void = {}) {
        let box = Unmanaged.passRetained(Done(done))
        let status = im_client_destroy_async(
            handle, { Unmanaged<Done>.fromOpaque($0!).takeRetainedValue().call() }, box.toOpaque())
        endListeners()
        // It was destroyed before.
        if status < 0 { box.takeRetainedValue().call() }
    }

    private func endListeners() {
        requests.end(ImError(.canceled, "the client was destroyed"))
        router.end()
    }

    // The pump.

    private func pump() {
        while takeOne() {}
        endListeners()
    }

    /// Takes what comes next; false at the end of the client.
    private func takeOne() -> Bool {
        var event: UnsafePointer<im_event>?
        let status = backlog.isFull ? im_client_poll_outcome(handle, -1, &event) : im_client_poll(handle, -1, &event)
        guard status == IM_OK, let event else { return status == IM_WOKEN }
        switch event.pointee.kind {
        case IM_EVENT_KIND_ACK:
            settle(event)
        case IM_EVENT_KIND_REQUEST:
            if !ask(event) { router.route(Delivery(event, backlog: backlog)) }
        default:
            router.route(Delivery(event, backlog: backlog))
        }
        return true
    }

    private func settle(_ event: UnsafePointer<im_event>) {
        defer { im_event_release(event) }
        let (request, status) = (event.pointee.request, event.pointee.status)
        switch status {
        case IM_OK: requests.settle(request, .success(Arguments(event)))
        case IM_ERROR_REFUSED: requests.settle(request, .failure(ImError(outcome: status, reply: Arguments(event))))
        default: requests.settle(request, .failure(ImError(outcome: status, reply: nil)))
        }
    }

    /// Asks the provider of credentials, if there is one.
    private func ask(_ event: UnsafePointer<im_event>) -> Bool {
        let request = Event(event)
        guard let provider = providers[request.name] else { return false }
        im_event_release(event)
        Task { [report] in
            await Self.answer(request, of: provider, report)
        }
        return true
    }

    private static func answer(_ request: Event, of provider: CredentialsProvider, _ report: Reporter) async {
        struct Attempt: Decodable { let attempt: Int }
        var credentials: [String: JSON]?
        do {
            credentials = try await provider(request.decode(Attempt.self).attempt)
        } catch {
            report(error, request)
        }
        do {
            try request.answer(credentials)
        } catch ImError.notFound, ImError.handle {
            // The attempt is over, or the client is.
        } catch {
            report(error, request)
        }
    }
}

/// Somebody who listens, until this is let go or ended.
final class Listener: Sendable {
    let queue: Queue
    /// Ends it; the second time nothing happens.
    let remove: @Sendable () -> Void

    init(queue: Queue, remove: @escaping @Sendable () -> Void) {
        (self.queue, self.remove) = (queue, remove)
    }

    deinit {
        remove()
    }
}

private final class Done: Sendable {
    let call: @Sendable () -> Void

    init(_ call: @escaping @Sendable () -> Void) {
        self.call = call
    }
}
