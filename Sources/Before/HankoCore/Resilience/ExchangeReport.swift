/// What one exchange came to, for `ValidationCall`.
package struct ExchangeReport {
    package let reason: VerdictReason
    package let retry: RetryPolicy.Advice
    /// The kept connection was dead or spoke unasked; Hanko cannot have answered.
    package let foundDeadConnection: Bool

    package init(reason: VerdictReason, retry: RetryPolicy.Advice, foundDeadConnection: Bool) {
        self.reason = reason
        self.retry = retry
        self.foundDeadConnection = foundDeadConnection
    }

    /// Whether a kept connection turned out unusable: then the same request goes out again at once on another one.
    ///
    /// - Parameters:
    ///   - end: how the exchange ended.
    ///   - usedKeptConnection: it went over a connection that was kept from an earlier exchange.
    ///   - answerBegan: at least one line of an answer arrived.
    package static func isDeadConnection(_ end: ExchangeEnd, usedKeptConnection: Bool, answerBegan: Bool) -> Bool {
        guard usedKeptConnection else { return false }
        switch end {
        case .answer(let answer):
            // What a server says when a kept connection has been idle for too long for it (RFC 9110 section 15.5.9).
            return answer.status == 408
        case .failure(.unaskedBytes):
            return true
        case .failure(.connectionLost), .failure(.emptyReply), .failure(.tls), .failure(.bodyCutShort):
            return !answerBegan
        case .failure:
            return false
        }
    }
}
