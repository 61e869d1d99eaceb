/// A moment on the monotonic clock after which a call must be over.
package struct Deadline {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment that comes `milliseconds` after `now`.
    package init(milliseconds: Int64, after now: Int64) {
        nanoseconds = now &+ milliseconds &* 1_000_000
    }

    /// What is left, rounded up so that a rest of less than a millisecond is not lost; 0 when it has passed.
    package func remainingMilliseconds(at now: Int64) -> Int64 {
        guard nanoseconds > now else { return 0 }
        return (nanoseconds &- now &+ 999_999) / 1_000_000
    }

    package func hasPassed(at now: Int64) -> Bool { nanoseconds <= now }
}
