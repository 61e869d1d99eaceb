/// What one exchange about a token came to, for `CallProgress`.
package struct ExchangeReport {
    package let reason: VerdictReason
    package let health: ExchangeMeaning.Health
    /// How long to wait before the request may be sent again; nil where it must not be.
    package let retryPause: Int64?
    /// The kept connection was dead; Hanko cannot have answered.
    package let foundDeadConnection: Bool
    /// The answer is nobody's: it does not bear the id of its request, which earlier ones on its connection did.
    package let isUnbound: Bool
    /// By how many seconds this machine's clock is ahead of the server's; nil where that is tolerable or not known.
    package let clockOffset: Int64?
    /// Only after a yes, and only where it was asked for.
    package let session: Session?
    /// Of the request; nil when none was sent.
    package let requestID: RequestID?

    /// - Parameters:
    ///   - end: how the exchange ended.
    ///   - judgement: what that means for the token.
    ///   - use: of the connection.
    ///   - retry: how many retries came before.
    ///   - now: seconds since 1970.
    ///   - random: any bits.
    package init(
        _ end: ExchangeEnd, _ judgement: Judgement, _ use: ConnectionUse, retry: Int64, now: Int64, random: UInt64
    ) {
        let meaning = ExchangeMeaning.of(end)
        reason = judgement.reason
        health = meaning.health
        retryPause = RetryPolicy.pause(after: end, retry: retry, now: now, random: random)
        foundDeadConnection = use.isKept && meaning.isDeadIfKept
        // What a gateway says of itself bears no id and stands. A 200 would be Hanko's.
        let status = judgement.reason.status
        isUnbound = !use.isBound && (meaning.reason == .body || status == .ok || status == .invalidToken)
        if case .answer(let answer) = end {
            clockOffset = Verdict.clockOffset(now: now, serverDate: answer.date)
        } else {
            clockOffset = nil
        }
        session = judgement.session
        requestID = use.requestID
    }
}
