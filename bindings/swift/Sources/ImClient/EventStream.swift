/// Events as an asynchronous sequence, in the order in which they came; `for await event in client.events(.chatMessage)`. It ends
/// when the client is destroyed or the task canceled.
///
/// It hears all that comes from the moment on in which it was made, and keeps its client alive. An event counts as delivered
/// (and a message gets its receipt) when the loop comes back for the next one, or ends. A stream whose reader is slow loses
/// nothing: beyond a megabyte nothing more is taken from the library, which then pauses the server. So let go of streams that
/// you do not read.
public struct EventStream: AsyncSequence, Sendable {
    public typealias Element = Event

    let client: Client
    let listener: Listener

    /// Several iterators share the events between them.
    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// The place of a loop in its stream.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private let stream: EventStream
        private let current = Locked<Delivery?>(nil)

        fileprivate init(stream: EventStream) {
            self.stream = stream
        }

        /// The next event, when it comes; nil at the end.
        public mutating func next() async -> Event? {
            keep(nil)
            let delivery = await stream.listener.queue.next()
            keep(delivery)
            return delivery?.take()
        }

        /// What was kept is let go outside of the lock, for that may give it back.
        private func keep(_ delivery: Delivery?) {
            let before = current.use { current in
                defer { current = delivery }
                return current
            }
            withExtendedLifetime(before) {}
        }
    }
}

/// A handler that is called for events; it goes on until `cancel`, or the client's end.
public struct Subscription: Sendable {
    let listener: Listener

    /// No new call starts after this. What is running goes on.
    public func cancel() {
        listener.remove()
    }
}
