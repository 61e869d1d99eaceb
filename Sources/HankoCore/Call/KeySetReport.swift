/// What one request for the key set came to, for `CallProgress`.
package struct KeySetReport {
    package let answer: KeySetAnswer
    /// The kept connection was dead.
    package let foundDeadConnection: Bool
    /// The answer is nobody's; see `ExchangeReport`.
    package let isUnbound: Bool
    /// Of the request; nil when none was sent.
    package let requestID: RequestID?

    /// - Parameters:
    ///   - end: how the exchange ended.
    ///   - use: of the connection.
    package init(_ end: ExchangeEnd, _ use: ConnectionUse) {
        answer = KeySetAnswer(end)
        foundDeadConnection = use.isKept && ExchangeMeaning.of(end).isDeadIfKept
        // The others confirm nothing, or are a gateway's own.
        isUnbound = !use.isBound && answer == .result(.stands)
        requestID = use.requestID
    }

    /// There was no connection for it.
    package init(notAsked failure: TransportFailure) {
        answer = KeySetAnswer(notAsked: failure)
        foundDeadConnection = false
        isUnbound = false
        requestID = nil
    }
}
