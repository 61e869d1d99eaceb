import CSystem
import Synchronization

/// Keeps threads out of libcurl and its TLS library once the process exits.
///
/// exit(3) makes OpenSSL free what other threads may be using. This library's own handler runs before OpenSSL's, because
/// it is registered later: it closes the gate, wakes those inside by shutting their connections down, and waits until
/// they are out.
final class ExitGate: @unchecked Sendable {
    private let inside: UnsafeMutablePointer<Atomic<Int>>
    private let closed: UnsafeMutablePointer<Atomic<Bool>>

    init() {
        inside = .allocate(capacity: 1)
        inside.initialize(to: Atomic(0))
        closed = .allocate(capacity: 1)
        closed.initialize(to: Atomic(false))
    }

    deinit {
        inside.deinitialize(count: 1)
        inside.deallocate()
        closed.deinitialize(count: 1)
        closed.deallocate()
    }

    /// A thread is about to use libcurl; `leave` must follow.
    ///
    /// - Returns: false when the process exits: libcurl must not be used any more, not even to clean up.
    func enter() -> Bool {
        inside.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if !closed.pointee.load(ordering: .sequentiallyConsistent) { return true }
        leave()
        return false
    }

    func leave() { inside.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    var isClosed: Bool { closed.pointee.load(ordering: .sequentiallyConsistent) }

    /// Closes the gate and waits until nobody is inside, for two seconds at most.
    ///
    /// - Parameter wake: ends the waiting of those inside.
    func close(wake: () -> Void) {
        closed.pointee.store(true, ordering: .sequentiallyConsistent)
        // Who is outside must learn of it as well: a thread that sleeps until something happens.
        wake()
        let end = Clock.monotonicNanoseconds() &+ 2_000_000_000
        while inside.pointee.load(ordering: .sequentiallyConsistent) > 0, Clock.monotonicNanoseconds() < end {
            // Again each time: a thread may have opened a connection in between.
            wake()
            Clock.sleep(until: Clock.monotonicNanoseconds() &+ 1_000_000)
        }
    }
}
