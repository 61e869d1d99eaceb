import CSystem

/// Waits for many sockets at once (epoll), and can be woken. Used by one thread, except for `wake`.
final class SocketPoller {
    /// What one socket has.
    struct Event {
        let socket: Int32
        let hasInput: Bool
        let hasOutput: Bool
        let hasError: Bool
    }

    /// What is known of a socket.
    private struct Watch {
        /// What the kernel looks for.
        var watchesInput = false
        var watchesOutput = false
        /// Somebody wants to know.
        var isWanted = false
        /// It will soon be wanted again: not to tell the kernel twice a request is what keeps this cheap.
        var expectsReuse = false

        var isWatched: Bool { watchesInput || watchesOutput }
    }

    private static var maximumEvents: Int { 128 }
    /// Beyond it nothing is remembered and the kernel is told each time; so many descriptors are rare.
    private static var maximumRemembered: Int { 65_536 }

    private let descriptors: DescriptorRegistry
    private let poller: Int32
    private let wakeUp: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var watches: [Watch] = []

    /// - Returns: nil when there are no descriptors to be had.
    static func make(_ descriptors: DescriptorRegistry) -> SocketPoller? {
        let poller = descriptors.openPoller()
        let wakeUp = descriptors.openEvent(isWakeUp: true)
        guard poller >= 0, wakeUp >= 0, hanko_poller_add(poller, wakeUp, 1, 0) == 0 else {
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

    /// Says what somebody wants to know of a socket.
    func want(_ socket: Int32, input: Bool, output: Bool) {
        guard Self.canRemember(socket) else {
            if input || output {
                tell(socket, isKnown: true, input, output)
            } else {
                hanko_poller_remove(poller, socket)
            }
            return
        }
        var watch = watch(of: socket)
        watch.isWanted = input || output
        if watch.isWanted {
            if watch.watchesInput != input || watch.watchesOutput != output {
                tell(socket, isKnown: watch.isWatched, input, output)
                watch.watchesInput = input
                watch.watchesOutput = output
            }
        } else if watch.isWatched, !(watch.expectsReuse && !watch.watchesOutput) {
            hanko_poller_remove(poller, socket)
            watch = Watch()
        }
        remember(socket, watch)
    }

    /// The connection on a socket is kept for another request.
    func expectReuse(_ socket: Int32) {
        var watch = watch(of: socket)
        watch.expectsReuse = true
        remember(socket, watch)
    }

    /// A socket is about to be closed.
    func remove(_ socket: Int32) {
        if watch(of: socket).isWatched || !Self.canRemember(socket) { hanko_poller_remove(poller, socket) }
        forget(socket)
    }

    /// A number stands for a new socket; the kernel has forgotten the old one.
    func forget(_ socket: Int32) { remember(socket, Watch()) }

    /// Waits until a socket has something, `wake` is called, or the time is over.
    ///
    /// - Parameters:
    ///   - milliseconds: how long at most; -1: for ever.
    ///   - report: is called with each.
    func wait(milliseconds: Int32, report: (Event) -> Void) {
        let count = Int(epoll_wait(poller, events, Int32(Self.maximumEvents), milliseconds))
        var index = 0
        while index < count {
            let event = events + index
            index &+= 1
            let socket = hanko_event_descriptor(event)
            if socket == wakeUp {
                hanko_clear_event(wakeUp)
                continue
            }
            guard isWanted(socket) else {
                // The other side said something unasked, or goodbye. The look before the next request will see it.
                hanko_poller_remove(poller, socket)
                forget(socket)
                continue
            }
            report(
                Event(
                    socket: socket, hasInput: hanko_event_has_input(event) != 0,
                    hasOutput: hanko_event_has_output(event) != 0, hasError: hanko_event_has_error(event) != 0))
        }
    }

    private func tell(_ socket: Int32, isKnown: Bool, _ input: Bool, _ output: Bool) {
        let input: Int32 = input ? 1 : 0
        let output: Int32 = output ? 1 : 0
        if isKnown, hanko_poller_change(poller, socket, input, output) == 0 { return }
        if hanko_poller_add(poller, socket, input, output) == 0 { return }
        hanko_poller_change(poller, socket, input, output)
    }

    // MARK: What is remembered

    private static func canRemember(_ socket: Int32) -> Bool { socket >= 0 && Int(socket) < maximumRemembered }

    private func isWanted(_ socket: Int32) -> Bool { !Self.canRemember(socket) || watch(of: socket).isWanted }

    private func watch(of socket: Int32) -> Watch {
        let index = Int(socket)
        return index >= 0 && index < watches.count ? watches[index] : Watch()
    }

    private func remember(_ socket: Int32, _ watch: Watch) {
        guard Self.canRemember(socket) else { return }
        let index = Int(socket)
        while watches.count <= index { watches.append(Watch()) }
        watches[index] = watch
    }
}
