import CSystem

/// Waits for many sockets at once (epoll), and can be woken. Used by one thread, except for `wake`.
///
/// While a connection is being opened, libcurl says what it wants to know of its sockets. Once it is open, it is
/// registered once: whatever comes is then told once, when it comes.
final class SocketPoller {
    /// Whom an event is for.
    enum Source {
        /// A socket that libcurl watches.
        case opening(socket: Int32, opener: Int)
        /// An open connection, by the number that it was registered with.
        case connection(number: UInt64)
    }

    /// What a socket has.
    struct Event {
        let hasInput: Bool
        let hasOutput: Bool
        let hasError: Bool
        /// The other side has closed the connection, or it broke.
        let hasEnd: Bool
    }

    private static var maximumEvents: Int { 128 }
    private static var wakeUpKey: UInt64 { .max }
    /// Marks the keys of sockets that libcurl watches.
    private static var openingBit: UInt64 { 1 << 63 }

    private let descriptors: DescriptorRegistry
    private let poller: Int32
    private let wakeUp: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    /// - Returns: nil when there are no descriptors to be had.
    static func make(_ descriptors: DescriptorRegistry) -> SocketPoller? {
        let poller = descriptors.openPoller()
        let wakeUp = descriptors.openEvent(isWakeUp: true)
        guard poller >= 0, wakeUp >= 0, hanko_poller_set(poller, wakeUp, 1, 0, wakeUpKey) == 0 else {
            if poller >= 0 { descriptors.close(poller) }
            if wakeUp >= 0 { descriptors.close(wakeUp) }
            return nil
        }
        return SocketPoller(descriptors, poller, wakeUp)
    }

    private init(_ descriptors: DescriptorRegistry, _ poller: Int32, _ wakeUp: Int32) {
        self.descriptors = descriptors
        self.poller = poller
        self.wakeUp = wakeUp
        events = .allocate(capacity: Self.maximumEvents)
    }

    deinit {
        descriptors.close(poller)
        descriptors.close(wakeUp)
        events.deallocate()
    }

    /// Ends a wait that is going on or the next one; from any thread.
    func wake() { hanko_signal_event(wakeUp) }

    /// Says what libcurl wants to know of a socket: nothing, any more, where it is neither.
    ///
    /// - Parameter opener: the number of the one that asks.
    /// - Returns: false when there is no memory.
    func watch(_ socket: Int32, opener: Int, input: Bool, output: Bool) -> Bool {
        guard input || output else {
            remove(socket)
            return true
        }
        let key = UInt64(UInt32(bitPattern: socket)) | UInt64(opener) << 32 | Self.openingBit
        return hanko_poller_set(poller, socket, input ? 1 : 0, output ? 1 : 0, key) == 0
    }

    /// Registers the socket of an open connection.
    ///
    /// - Parameter number: below 2^63.
    /// - Returns: false when there is no memory.
    func add(_ socket: Int32, number: UInt64) -> Bool {
        // libcurl may not have let go of it.
        hanko_poller_remove(poller, socket)
        return hanko_poller_add_edges(poller, socket, number) == 0
    }

    /// A socket is about to be closed. The kernel forgets it by itself only once no forked child has a copy.
    func remove(_ socket: Int32) { hanko_poller_remove(poller, socket) }

    /// Waits until a socket has something, `wake` is called, or the time is over.
    ///
    /// - Parameter milliseconds: how long at most; -1: for ever.
    /// - Returns: how many events there are.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(epoll_wait(poller, events, Int32(Self.maximumEvents), milliseconds)))
    }

    /// What the last wait brought, in the place of an index below its result; nil for what concerns nobody else.
    func event(at index: Int) -> (Source, Event)? {
        let event = events + index
        let key = hanko_event_key(event)
        if key == Self.wakeUpKey {
            hanko_clear_event(wakeUp)
            return nil
        }
        let source: Source =
            key & Self.openingBit != 0
            ? .opening(
                socket: Int32(truncatingIfNeeded: key), opener: Int(truncatingIfNeeded: (key & ~Self.openingBit) >> 32))
            : .connection(number: key)
        return (
            source,
            Event(
                hasInput: hanko_event_has_input(event) != 0, hasOutput: hanko_event_has_output(event) != 0,
                hasError: hanko_event_has_error(event) != 0, hasEnd: hanko_event_has_end(event) != 0)
        )
    }
}
