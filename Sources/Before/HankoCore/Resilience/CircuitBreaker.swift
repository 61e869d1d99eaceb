/// Keeps calls away from a Hanko that fails, so that they end at once and it can recover: a value without a clock.
///
/// It opens when at least ten of the last twenty exchanges failed; after a second one exchange at a time probes, and each
/// failed probe doubles the time, up to 30 s. What counts as a failure is not decided here but in `ExchangeOutcome`, so
/// that nobody who merely controls tokens can open it.
package struct CircuitBreaker {
    /// What an admitted exchange must hand back when it ends.
    package struct Permit: Equatable {
        fileprivate let isProbe: Bool
        /// Which closed period, or which probe, it belongs to: what comes back late does not count.
        fileprivate let period: UInt64
    }

    private static var windowLength: UInt64 { 20 }
    private static var failuresToOpen: Int { 10 }
    private static var firstPause: Int64 { 1_000_000_000 }
    private static var longestPause: Int64 { 30_000_000_000 }

    /// The last twenty outcomes, one bit each, set for a failure.
    private var window: UInt64 = 0
    private var isOpen = false
    private var pause = firstPause
    private var opensAgainAt: Int64 = 0
    private var probeIsOut = false
    private var period: UInt64 = 0
    package private(set) var openedCount: UInt64 = 0

    package init() {}

    /// Whether an exchange would be admitted now, without admitting it.
    package func wouldAdmit(at now: Int64) -> Bool { !isOpen || !probeIsOut && now >= opensAgainAt }

    /// Somebody is about to send a request.
    ///
    /// - Returns: nil when it must not be sent.
    package mutating func admit(at now: Int64) -> Permit? {
        guard wouldAdmit(at: now) else { return nil }
        if isOpen {
            probeIsOut = true
            period &+= 1
        }
        return Permit(isProbe: isOpen, period: period)
    }

    /// An admitted exchange ended.
    ///
    /// - Returns: true when the breaker has just opened, for the first time since it was closed.
    @discardableResult
    package mutating func settle(_ permit: Permit, _ outcome: ExchangeOutcome, at now: Int64) -> Bool {
        guard permit.period == period, permit.isProbe == isOpen else { return false }
        if permit.isProbe {
            probeIsOut = false
            switch outcome {
            case .success: close()
            case .failure:
                pause = min(Self.longestPause, pause &* 2)
                opensAgainAt = now &+ pause
            case .nothing: break  // the next one probes
            }
            return false
        }
        guard outcome != .nothing else { return false }
        window = (window << 1 | (outcome == .failure ? 1 : 0)) & (1 << Self.windowLength &- 1)
        guard window.nonzeroBitCount >= Self.failuresToOpen else { return false }
        isOpen = true
        openedCount &+= 1
        pause = Self.firstPause
        opensAgainAt = now &+ pause
        return true
    }

    private mutating func close() {
        isOpen = false
        window = 0
        period &+= 1
    }
}
