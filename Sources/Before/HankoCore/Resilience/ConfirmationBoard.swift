/// Who asks for the key set, who waits for whom, and which answer may serve: a value without a clock, fed with events.
///
/// A token that could be good needs a request that began after its "no" arrived. Every other one is served by any answer
/// of the last second, so that garbage cannot multiply requests; so is everybody beyond ten requests a second.
package struct ConfirmationBoard {
    package enum Decision: Equatable {
        case use(ConfirmationResult)
        /// Wait for the request of this number, which another caller has begun.
        case join(UInt64)
        /// Begin a request; `finish` must follow with this number.
        case begin(UInt64)
        /// Ask again at this moment: another request may begin then.
        case wait(until: Int64)
    }

    private struct Flight {
        let number: UInt64
        let beganAt: Int64
    }

    private static var second: Int64 { 1_000_000_000 }
    private static var maximumPerSecond: Int { 10 }

    private var flights: [Flight] = []
    /// When the last ten requests began, oldest first.
    private var starts: [Int64] = []
    private var lastResult: ConfirmationResult?
    private var lastResultAt: Int64 = 0
    private var nextNumber: UInt64 = 1

    package init() {}

    /// Somebody needs a confirmation.
    ///
    /// - Parameters:
    ///   - rejectedAt: when the "no" arrived, in nanoseconds on the monotonic clock.
    ///   - mayBeGood: the token could be good as far as one can see.
    ///   - now: on the same clock.
    package mutating func decide(rejectedAt: Int64, mayBeGood: Bool, now: Int64) -> Decision {
        let recent = lastResult.flatMap { now &- lastResultAt <= Self.second ? $0 : nil }
        if mayBeGood {
            if let flight = flights.last, flight.beganAt >= rejectedAt { return .join(flight.number) }
        } else {
            if let recent { return .use(recent) }
            if let flight = flights.last { return .join(flight.number) }
        }
        if mayBegin(at: now) { return begin(at: now) }
        if let recent { return .use(recent) }
        // Beyond the rate, and nothing has come back within a second: these requests are under way, or were given up.
        return flights.last.map { .join($0.number) } ?? .wait(until: (starts.first ?? now) &+ Self.second)
    }

    /// A request that was begun has ended.
    ///
    /// - Parameter result: nil when it was given up before Hanko could answer; who waited decides anew.
    package mutating func finish(_ number: UInt64, result: ConfirmationResult?, now: Int64) {
        if let index = flights.firstIndex(where: { $0.number == number }) { flights.remove(at: index) }
        guard let result else { return }
        lastResult = result
        lastResultAt = now
    }

    private func mayBegin(at now: Int64) -> Bool {
        guard starts.count >= Self.maximumPerSecond, let oldest = starts.first else { return true }
        return now &- oldest >= Self.second
    }

    private mutating func begin(at now: Int64) -> Decision {
        if starts.count >= Self.maximumPerSecond { starts.removeFirst() }
        starts.append(now)
        let number = nextNumber
        nextNumber &+= 1
        flights.append(Flight(number: number, beganAt: now))
        return .begin(number)
    }
}
