/// The `CircuitBreaker` of one client, for all its threads.
final class SharedCircuitBreaker: @unchecked Sendable {
    private let lock = Lock()
    private var breaker = CircuitBreaker()

    init() {}

    func wouldAdmit() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return breaker.wouldAdmit(at: Clock.monotonicNanoseconds())
    }

    func admit() -> CircuitBreaker.Permit? {
        lock.lock()
        defer { lock.unlock() }
        return breaker.admit(at: Clock.monotonicNanoseconds())
    }

    /// - Returns: true when the breaker has just opened.
    func settle(_ permit: CircuitBreaker.Permit, _ outcome: ExchangeOutcome) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return breaker.settle(permit, outcome, at: Clock.monotonicNanoseconds())
    }
}
