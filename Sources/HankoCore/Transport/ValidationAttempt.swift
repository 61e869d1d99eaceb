/// Decides what happens after each exchange of one call: a value fed with what came back, without a connection.
///
/// Every driver, the blocking one and later the queue, asks it; none decides by itself.
package struct ValidationAttempt {
    package enum Step: Equatable {
        /// What came back is the end of the call.
        case judge
        /// The kept connection was dead or spoke unasked: the same request goes out again at once, on a connection of
        /// its own. Hanko cannot have answered the first one.
        case replaceConnection
    }

    private var hasReplaced = false

    package init() {}

    /// Takes the end of an exchange.
    ///
    /// - Parameters:
    ///   - end: how it ended.
    ///   - usedKeptConnection: it went over a connection that was kept from an earlier exchange.
    ///   - answerBegan: at least one line of an answer arrived.
    package mutating func step(after end: ExchangeEnd, usedKeptConnection: Bool, answerBegan: Bool) -> Step {
        guard usedKeptConnection, !hasReplaced, Self.isDeadConnection(end, answerBegan: answerBegan) else {
            return .judge
        }
        hasReplaced = true
        return .replaceConnection
    }

    private static func isDeadConnection(_ end: ExchangeEnd, answerBegan: Bool) -> Bool {
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
