import CSystem

/// What a call begins and ends with. It keeps the thread from being cancelled (pthread_cancel), which would end the call in
/// the middle: with a lock taken, a turn that nobody gives back, a circuit breaker that waits for its probe for ever. A
/// cancellation that is asked for meanwhile stays pending. And it sees to it that there is a reserve of memory.
package struct CallGuard {
    private let stateBefore: Int32

    /// Disables cancellation; `end` must follow on the same thread, unless the thread is one of our own.
    package init() {
        var state = Int32(PTHREAD_CANCEL_ENABLE)
        pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &state)
        stateBefore = state
        #if hasFeature(Embedded)
            MemoryReserve.prepare()
        #endif
    }

    /// Restores what was before. Everything must have been released: a thread whose cancellation is asynchronous ends
    /// right here.
    package func end() {
        var disabled = Int32(0)
        pthread_setcancelstate(stateBefore, &disabled)
    }
}
