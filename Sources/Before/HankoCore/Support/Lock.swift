import CSystem

/// A mutual exclusion lock. It is held for moments only: never while something could wait for the network or for the
/// host's code, of which the writing of a log line is a part.
package final class Lock: @unchecked Sendable {
    // A mutex must not move in memory, so it has an allocation of its own.
    let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init() {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func lock() { pthread_mutex_lock(mutex) }

    /// - Returns: false where somebody holds it.
    package func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }

    package func unlock() { pthread_mutex_unlock(mutex) }
}
