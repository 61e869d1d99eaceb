import CSystem
import Synchronization

/// What happens around a fork(2) of the host (POSIX pthread_atfork).
///
/// - Before it, our locks are taken, so that no other thread is in the middle of something the child would inherit:
///   initialising libcurl, opening a socket.
/// - In the parent they are released.
/// - In the child, inherited sockets are closed and everything else is left alone; `ForkGeneration` makes the next call
///   start anew.
enum ForkHandlers {
    private static let state = Atomic<Int>(0)
    /// What the handler before the fork has locked, so that those after it release just that. Its own locks guard it.
    private static let held = Atomic<UInt>(0)
    private static var registering: Int { 1 }
    private static var registered: Int { 2 }

    /// Registers the handlers, once for each process and its children.
    static func register() {
        let (won, found) = state.compareExchange(
            expected: 0, desired: registering, ordering: .acquiringAndReleasing)
        if won {
            _ = pthread_atfork(
                { ForkHandlers.prepare() },
                { ForkHandlers.takeHeld()?.releaseInParent() },
                {
                    // To close a descriptor is a cancellation point.
                    let guarded = CallGuard()
                    defer { guarded.end() }
                    ForkHandlers.takeHeld()?.closeInChild()
                })
            state.store(registered, ordering: .releasing)
            return
        }
        guard found == registering else { return }
        // Another thread is at it, for a moment. The wait ends by itself because that thread may be one that this
        // process, a child, does not have.
        var patience = 10_000
        while state.load(ordering: .acquiring) == registering, patience > 0 {
            sched_yield()
            patience &-= 1
        }
    }

    private static func prepare() {
        guard let process = HostProcess.ofThisProcess() else { return }
        process.holdForFork()
        held.store(process.address, ordering: .releasing)
    }

    private static func takeHeld() -> HostProcess? {
        HostProcess.object(at: held.exchange(0, ordering: .acquiringAndReleasing))
    }
}
