/// The `ConfirmationBoard` of one client, for callers that block.
final class Confirmations: @unchecked Sendable {
    /// One caller that waits for another one's request.
    private final class Waiter {
        let flight: UInt64
        let signal = Signal()
        var isOver = false
        /// Nil with `isOver`: the request was given up.
        var result: ConfirmationResult?

        init(flight: UInt64) { self.flight = flight }
    }

    private let lock = Lock()
    private var board = ConfirmationBoard()
    private var waiters: [Waiter] = []

    init() {}

    /// Confirms a "no".
    ///
    /// - Parameters:
    ///   - rejectedAt: when it arrived.
    ///   - mayBeGood: whether the token could be good.
    ///   - deadline: the caller's; when it passes, the "no" is not confirmed.
    ///   - ask: asks for the key set; nil when the deadline ended that.
    ///   - beforeWaiting: is called before waiting for somebody else's request.
    func confirm(
        rejectedAt: Int64, mayBeGood: Bool, until deadline: Deadline, ask: () -> ConfirmationResult?,
        beforeWaiting: () -> Void
    ) -> ConfirmationResult {
        while true {
            lock.lock()
            let decision = board.decide(
                rejectedAt: rejectedAt, mayBeGood: mayBeGood, now: Clock.monotonicNanoseconds())
            switch decision {
            case .use(let result):
                lock.unlock()
                return result
            case .begin(let flight):
                lock.unlock()
                let result = ask()
                finish(flight, result)
                return result ?? .outage(0)
            case .join(let flight):
                let waiter = Waiter(flight: flight)
                waiters.append(waiter)
                lock.unlock()
                beforeWaiting()
                guard wait(waiter, until: deadline) else { return .outage(0) }
                if let result = waiter.result { return result }
            }
        }
    }

    /// - Returns: false when the deadline passed first.
    private func wait(_ waiter: Waiter, until deadline: Deadline) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        while !waiter.isOver {
            if waiter.signal.wait(lock, until: deadline) { continue }
            if waiter.isOver { break }
            if let index = waiters.firstIndex(where: { $0 === waiter }) { waiters.remove(at: index) }
            return false
        }
        return true
    }

    private func finish(_ flight: UInt64, _ result: ConfirmationResult?) {
        lock.lock()
        defer { lock.unlock() }
        board.finish(flight, result: result, now: Clock.monotonicNanoseconds())
        var others: [Waiter] = []
        for waiter in waiters {
            guard waiter.flight == flight else {
                others.append(waiter)
                continue
            }
            waiter.result = result
            waiter.isOver = true
            waiter.signal.wake()
        }
        waiters = others
    }
}
