/// The `ConfirmationBoard` of one client: who has a "no" to confirm asks here whether to ask for the key set or to wait
/// for somebody who does.
final class SharedConfirmationBoard: @unchecked Sendable {
    /// One call that waits for another one's request.
    final class Waiter: @unchecked Sendable {
        fileprivate let flight: UInt64
        fileprivate let wake: () -> Void
        fileprivate var hasGivenUp = false
        /// Set before `wake` is called.
        fileprivate(set) var isOver = false
        /// Nil with `isOver`: the request was given up, and who waited decides anew.
        fileprivate(set) var result: ConfirmationResult?

        fileprivate init(flight: UInt64, wake: @escaping () -> Void) {
            self.flight = flight
            self.wake = wake
        }
    }

    enum Decision {
        case use(ConfirmationResult)
        /// Ask for the key set; `finish` must follow with this number.
        case begin(UInt64)
        case wait(Waiter)
        /// Ask again at this moment.
        case pause(until: Int64)
    }

    private let lock = Lock()
    private var board = ConfirmationBoard()
    private var waiters: [Waiter] = []

    init() {}

    /// Somebody has a "no" to confirm.
    ///
    /// - Parameters:
    ///   - rejectedAt: when it arrived.
    ///   - mayBeGood: whether the token could be good.
    ///   - wake: is called when the waiting is over, from any thread, with the lock held.
    func decide(rejectedAt: Int64, mayBeGood: Bool, wake: @escaping () -> Void) -> Decision {
        lock.lock()
        defer { lock.unlock() }
        switch board.decide(rejectedAt: rejectedAt, mayBeGood: mayBeGood, now: Clock.monotonicNanoseconds()) {
        case .use(let result): return .use(result)
        case .begin(let flight): return .begin(flight)
        case .wait(let moment): return .pause(until: moment)
        case .join(let flight):
            let waiter = Waiter(flight: flight, wake: wake)
            waiters.append(waiter)
            return .wait(waiter)
        }
    }

    /// A request that was begun has ended.
    ///
    /// - Parameter result: nil when it was given up.
    func finish(_ flight: UInt64, _ result: ConfirmationResult?) {
        lock.lock()
        defer { lock.unlock() }
        board.finish(flight, result: result, now: Clock.monotonicNanoseconds())
        var others: [Waiter] = []
        for waiter in waiters where !waiter.hasGivenUp {
            guard waiter.flight == flight else {
                others.append(waiter)
                continue
            }
            waiter.result = result
            waiter.isOver = true
            waiter.wake()
        }
        waiters = others
    }

    /// Somebody does not wait any longer.
    func giveUp(_ waiter: Waiter) {
        lock.lock()
        waiter.hasGivenUp = true
        lock.unlock()
    }

    /// Whether the waiting of a waiter is over; then its `result` stands.
    func isOver(_ waiter: Waiter) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return waiter.isOver
    }

    /// Blocks until the waiting of a waiter is over; `signal` is what its `wake` wakes.
    ///
    /// - Returns: false when the deadline passed first.
    func wait(_ waiter: Waiter, _ signal: Signal, until deadline: Deadline) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        while !waiter.isOver {
            if signal.wait(lock, until: deadline) { continue }
            if waiter.isOver { break }
            waiter.hasGivenUp = true
            return false
        }
        return true
    }
}
