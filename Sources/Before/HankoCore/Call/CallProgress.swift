/// One call under way: everything about it but the input and output, so that whoever carries it out, the blocking driver
/// or the queue, decides nothing.
struct CallProgress {
    enum Purpose {
        case validation
        /// The start-up test: it asks even while the breaker is open, does not change it, and is not counted.
        case check
    }

    private let context: CallContext
    let deadline: Deadline
    let purpose: Purpose
    private let wantsSession: Bool
    private var call: ValidationCall
    private var permit: CircuitBreaker.Permit?
    /// When the request that is under way was begun.
    private var began: Int64 = 0
    /// When the "no" that needs a confirmation arrived.
    private(set) var rejectedAt: Int64 = 0
    /// The next request for the key set goes over a fresh connection, because the kept one was dead.
    private(set) var replacesKeySetConnection = false
    /// The next request is one that failed before.
    private var isRetry = false
    /// Only after a yes, and only where it was asked for.
    private(set) var session: Session?
    /// The server's time in the last answer.
    private var serverDate: Int64?

    /// - Parameter deadline: nil for that of a call that begins now.
    init(
        _ context: CallContext, _ purpose: Purpose, candidateCount: Int, wantsSession: Bool, deadline: Deadline? = nil
    ) {
        self.context = context
        self.purpose = purpose
        self.wantsSession = wantsSession
        let deadline =
            deadline
            ?? Deadline(
                milliseconds: context.configuration.timeoutMilliseconds, after: Clock.monotonicNanoseconds())
        self.deadline = deadline
        call = ValidationCall(
            candidateCount: candidateCount, maximumRetries: context.configuration.maximumRetries,
            confirmsRejections: purpose == .validation && context.configuration.confirmsRejections, deadline: deadline)
    }

    func begin() -> CallAction { next(call.begin()) }

    // MARK: Before a request

    /// Looks at the breaker before a connection is waited for, so that nobody waits for nothing.
    ///
    /// - Returns: what to do in place of sending; nil to go on.
    func refusal() -> CallAction? {
        purpose == .check || context.breaker.wouldAdmit() ? nil : failed(.breakerOpen)
    }

    /// The connection is there.
    ///
    /// - Returns: what to do in place of sending; nil to go on.
    mutating func admission() -> CallAction? {
        guard purpose == .validation else { return nil }
        permit = context.breaker.admit()
        return permit == nil ? failed(.breakerOpen) : nil
    }

    /// The request is about to be sent.
    mutating func sends() {
        if isRetry { context.statistics.retried() }
        isRetry = false
        began = Clock.monotonicNanoseconds()
    }

    /// The request could not be sent, for a reason that lies here.
    func failed(_ failure: TransportFailure) -> CallAction { next(.finish(.transport(failure))) }

    // MARK: After a request

    /// A request about a token ended.
    ///
    /// - Returns: what to do, and whether it needs the exchange.
    mutating func ended(_ exchange: Exchange, _ token: SessionToken) -> (action: CallAction, keepsExchange: Bool) {
        count(exchange)
        // A deadline says something about the server only when that had at least half of the configured time.
        let time = (deadline.nanoseconds &- began) / 1_000_000
        let (report, outcome) = judge(
            exchange, token, hadTime: time &* 2 >= context.configuration.timeoutMilliseconds)
        rejectedAt = Clock.monotonicNanoseconds()
        let action = call.ended(report, now: rejectedAt)
        switch action {
        case .send(_, replacingConnection: true):
            return (next(action), true)  // the same exchange still
        case .confirm:
            return (next(action), true)  // what it says about the server is not known yet
        default:
            settle(outcome)
            return (next(action), false)
        }
    }

    private mutating func judge(_ exchange: Exchange, _ token: SessionToken, hadTime: Bool) -> (
        ExchangeReport, ExchangeOutcome
    ) {
        let now = Clock.secondsSince1970()
        let usedKeptConnection = exchange.usedKeptConnection
        let answerBegan = exchange.answerBegan
        let retryCount = call.retryCount
        var judged = Judgement(.transport(.other(0)))
        var date: Int64?
        let result = exchange.withEnd { end in
            judged = Verdict.judge(
                end, token: token, audiences: context.configuration.audiences, now: now, wantsSession: wantsSession)
            if case .answer(let answer) = end { date = answer.date }
            if case .failure(.unaskedBytes) = end { warnOfUnaskedBytes() }
            let report = ExchangeReport(
                reason: judged.reason,
                retry: RetryPolicy.advice(
                    after: end, answerBegan: answerBegan, retry: retryCount, now: now, random: Random.bits()),
                foundDeadConnection: ExchangeReport.isDeadConnection(
                    end, usedKeptConnection: usedKeptConnection, answerBegan: answerBegan))
            return (report, ExchangeOutcome(end, hadTime: hadTime))
        }
        session = judged.session
        serverDate = date
        return result
    }

    /// A pause is over.
    mutating func paused() -> CallAction {
        isRetry = true
        return next(call.paused())
    }

    // MARK: The key set

    /// A request for the key set ended.
    ///
    /// - Returns: nil when the kept connection was dead: the same request is to be sent on a fresh one.
    mutating func keySetEnded(_ exchange: Exchange) -> KeySetAnswer? {
        count(exchange)
        let usedKeptConnection = exchange.usedKeptConnection
        let answerBegan = exchange.answerBegan
        let mayReplace = !replacesKeySetConnection
        let answer: KeySetAnswer? = exchange.withEnd { end in
            let isDead = ExchangeReport.isDeadConnection(
                end, usedKeptConnection: usedKeptConnection, answerBegan: answerBegan)
            return isDead && mayReplace ? nil : KeySetAnswer(end)
        }
        replacesKeySetConnection = answer == nil
        return answer
    }

    /// Whether a rejected token could be good as far as one can see, so that its "no" needs an answer of its own.
    func mayBeGood(_ token: SessionToken) -> Bool { token.mayBeGood(now: Clock.secondsSince1970()) }

    /// The "no" is confirmed, or is not.
    mutating func confirmed(_ answer: KeySetAnswer) -> CallAction {
        tellWhereHidden(answer)
        switch answer {
        case .result(.outage(0)) where deadline.hasPassed(at: Clock.monotonicNanoseconds()), .late, .failed:
            // A caller whose own time ran out learnt nothing.
            settle(.nothing)
        case .result(.outage):
            settle(.failure)
        case .result(.stands), .result(.hidden), .result(.notShown), .result(.cached):
            // What stands before Hanko keeps every "no" from being confirmed; counted as a failure, garbage could open the
            // breaker for everybody.
            settle(.success)
        }
        switch answer {
        case .result(let result): return next(call.confirmed(result))
        case .late: return next(call.confirmed(.outage(0)))
        case .failed(let failure): return next(call.judged(.transport(failure)))
        }
    }

    /// The start-up test has asked for the key set.
    func checked(_ answer: KeySetAnswer) -> CallAction {
        let confirmsRejections = context.configuration.confirmsRejections
        if confirmsRejections { tellWhereHidden(answer) }
        switch answer {
        case .result(let result):
            return .finish(StartupCheck.end(after: result, confirmsRejections: confirmsRejections))
        case .late:
            return .finish(StartupCheck.end(after: .outage(0), confirmsRejections: confirmsRejections))
        case .failed(let failure):
            return .finish(.transport(failure))
        }
    }

    private func tellWhereHidden(_ answer: KeySetAnswer) {
        if case .result(.hidden(let code)) = answer { context.tellOfHiddenKeySet(code) }
    }

    /// The start-up test goes on where a validation ends.
    private func next(_ action: CallAction) -> CallAction {
        guard purpose == .check, case .finish(let reason) = action else { return action }
        let offset = Verdict.clockOffset(now: Clock.secondsSince1970(), serverDate: serverDate)
        return StartupCheck.end(after: reason, clockOffset: offset).map { .finish($0) } ?? .askForKeySet
    }

    // MARK: The client's health and counters

    /// The call ends here, whatever is under way: a probe that did not come to an end passes the probe on.
    ///
    /// - Parameter exchange: the one under way, which may have sent its request.
    mutating func giveUp(_ exchange: Exchange?) {
        if let exchange { count(exchange) }
        settle(.nothing)
    }

    /// The call was taken on; `countEnd` must follow.
    func countBegin() {
        if purpose == .validation { context.statistics.validationBegan() }
    }

    /// The result is there for whoever asked.
    func countEnd(_ reason: VerdictReason) {
        if purpose == .validation { context.statistics.validationEnded(reason.status) }
    }

    private mutating func settle(_ outcome: ExchangeOutcome) {
        guard let permit else { return }
        self.permit = nil
        guard context.breaker.settle(permit, outcome) else { return }
        context.statistics.breakerOpened()
        context.log.write(
            .warning, status: .unavailable, code: 0,
            "ten of the last twenty exchanges with Hanko failed; it is not asked for a while, but probed")
    }

    private func count(_ exchange: Exchange) {
        context.statistics.sentRequests(exchange.sentRequests)
        context.statistics.openedConnections(exchange.openedConnections)
    }

    /// A kept connection that the server closed meanwhile is nothing special; one on which it spoke unasked is.
    private func warnOfUnaskedBytes() {
        context.log.write(.warning, status: .protocolError, code: 0, TransportFailure.unaskedBytes.text)
    }
}
