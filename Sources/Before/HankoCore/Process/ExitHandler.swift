import CSystem
import Synchronization

/// What happens when the host calls exit(3) or returns from main while other threads are in a call.
enum ExitHandler {
    private static let isRegistered = Atomic<Bool>(false)

    /// Registers the handler; children inherit it.
    static func register() {
        let (first, _) = isRegistered.compareExchange(
            expected: false, desired: true, ordering: .acquiringAndReleasing)
        guard first else { return }
        _ = atexit {
            let guarded = CallGuard()
            defer { guarded.end() }
            HostProcess.ofThisProcess()?.closeForExit()
        }
    }
}
