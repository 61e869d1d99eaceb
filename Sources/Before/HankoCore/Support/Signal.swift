import CSystem

/// Wakes waiting threads; used together with a `Lock`. It waits on the monotonic clock, so that setting the system's
/// time changes no deadline.
final class Signal: @unchecked Sendable {
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Wakes one.
    func wake() { pthread_cond_signal(condition) }

    func wakeAll() { pthread_cond_broadcast(condition) }

    /// Gives up the lock, waits to be woken or for the deadline, and takes the lock again. It may also return for no
    /// reason, so the caller looks again at what it waits for.
    ///
    /// - Returns: false when the deadline has passed.
    func wait(_ lock: Lock, until deadline: Deadline) -> Bool {
        var time = timespec()
        time.tv_sec = Int(deadline.nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(deadline.nanoseconds % 1_000_000_000)
        return pthread_cond_timedwait(condition, lock.mutex, &time) != ETIMEDOUT
    }
}
