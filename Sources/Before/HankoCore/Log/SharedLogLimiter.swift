/// The `LogLimiter` of a process: all its clients write to one standard error.
package final class SharedLogLimiter: @unchecked Sendable {
    private let lock = Lock()
    private var limiter = LogLimiter()

    package init() {}

    /// - Returns: nil when the line must not be written; otherwise how many were left out since the last one.
    func admit(status: Status, code: Int) -> Int64? {
        lock.lock()
        defer { lock.unlock() }
        return limiter.admit(
            status: status.rawValue, code: Int32(truncatingIfNeeded: code), now: Clock.monotonicNanoseconds())
    }
}
