/// Asks Hanko on the caller's own thread.
struct BlockingTransport {
    let pool: HandlePool
    let audiences: [[UInt8]]

    /// Asks about one token and judges the answer.
    ///
    /// - Parameters:
    ///   - token: has passed `SessionToken.refusal`.
    ///   - deadline: for everything, waiting for a connection included.
    ///   - replaced: is called when a kept connection turned out unusable, with the reason.
    func validate(_ token: ByteView, until deadline: Deadline, replaced: (ExchangeEnd) -> Void) -> VerdictReason {
        do {
            let exchange = try pool.borrow(until: deadline)
            defer { pool.giveBack(exchange) }
            return try run(exchange, token, until: deadline, replaced: replaced)
        } catch {
            return .transport(error)
        }
    }

    private func run(
        _ exchange: Exchange, _ token: ByteView, until deadline: Deadline, replaced: (ExchangeEnd) -> Void
    ) throws(TransportFailure) -> VerdictReason {
        try exchange.load(token)
        var attempt = ValidationAttempt()
        var freshConnection = false
        while true {
            exchange.perform(until: deadline, freshConnection: freshConnection)
            let reason: VerdictReason? = exchange.withEnd { end in
                let step = attempt.step(
                    after: end, usedKeptConnection: exchange.usedKeptConnection, answerBegan: exchange.answerBegan)
                switch step {
                case .judge:
                    return Verdict.reason(
                        for: end, token: token, audiences: audiences, now: Clock.secondsSince1970())
                case .replaceConnection:
                    replaced(end)
                    return nil
                }
            }
            if let reason { return reason }
            freshConnection = true
        }
    }
}
