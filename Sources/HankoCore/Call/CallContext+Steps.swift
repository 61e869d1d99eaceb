/// What both drivers do for the steps of their calls: everything that is neither a connection nor waiting.
extension CallContext {
    /// A call that begins.
    ///
    /// - Parameter deadline: nil for that of a call that begins now.
    func progress(
        _ purpose: CallProgress.Purpose, candidateCount: Int, wantsSession: Bool, deadline: Deadline? = nil
    ) -> CallProgress {
        let end =
            deadline
            ?? Deadline(milliseconds: configuration.timeoutMilliseconds, after: Clock.monotonicNanoseconds())
        return CallProgress(
            purpose, candidateCount: candidateCount, configuration, deadline: end, wantsSession: wantsSession)
    }

    /// Whether the breaker would let a request out now.
    func breakerWouldAdmit() -> Bool { breaker.with { $0.wouldAdmit(at: Clock.monotonicNanoseconds()) } }

    /// A turn came for a call.
    @inline(never)
    func turnCame(_ progress: inout CallProgress) -> CallStep {
        let now = Clock.monotonicNanoseconds()
        guard progress.needsPermit else { return progress.turnCame(.notNeeded, now: now) }
        guard let permit = breaker.with({ $0.admit(at: now) }) else { return progress.turnCame(.refused, now: now) }
        return progress.turnCame(.granted(permit), now: now)
    }

    /// An exchange ended.
    ///
    /// - Parameters:
    ///   - connection: where it went; nil when there was none.
    ///   - credentials: those of the call.
    @inline(never)
    func exchangeEnded(
        _ end: ExchangeEnd, _ connection: Connection?, _ credentials: Credentials, _ progress: inout CallProgress
    ) -> CallStep {
        let use = connection?.use ?? ConnectionUse()
        if use.requestID != nil { statistics.sentRequests(1) }
        guard let candidate = progress.currentCandidate else {
            return progress.keySetEnded(KeySetReport(end, use), now: Clock.monotonicNanoseconds())
        }
        // There always is one: `CallProgress` knows how many there are.
        guard let token = credentials[candidate] else { return progress.cancelled(.transport(.localShortage)) }
        let now = Clock.secondsSince1970()
        let judgement = Verdict.judge(
            end, token: token, audiences: configuration.audiences, now: now, wantsSession: progress.wantsSession)
        let report = ExchangeReport(
            end, judgement, use, retry: progress.retryCount, now: now, random: Random.bits())
        return progress.exchangeEnded(report, now: Clock.monotonicNanoseconds())
    }

    /// Nobody needs the answer on a connection any more.
    ///
    /// - Returns: whether the connection may serve again. One that may not is to be closed.
    @inline(never)
    func finish(_ connection: Connection) -> Bool {
        let isKept = connection.finish()
        tellOfUnaskedBytes(connection)
        return isKept
    }

    /// A kept connection that the server closed meanwhile is nothing special; one on which it spoke unasked is.
    @inline(never)
    func tellOfUnaskedBytes(_ connection: Connection) {
        guard connection.spokeUnasked, log.takes(.warning) else { return }
        log.write(
            .warning, status: .protocolError, code: 0,
            "bytes that nobody asked for came on a connection; it was given up")
    }

    /// Decides how a "no" is confirmed.
    ///
    /// - Parameters:
    ///   - token: the one that was rejected.
    ///   - wake: is called when the waiting is over, from any thread, with a lock held.
    /// - Returns: with `.join`, the waiter as well.
    @inline(never)
    func decide(
        _ progress: CallProgress, _ token: SessionToken?, wake: @escaping () -> Void
    ) -> (CallProgress.Decision, SharedConfirmationBoard.Waiter?) {
        let mayBeGood = token?.mayBeGood(now: Clock.secondsSince1970()) ?? false
        switch confirmations.decide(rejectedAt: progress.rejectedAt, mayBeGood: mayBeGood, wake: wake) {
        case .use(let result): return (.use(result), nil)
        case .begin(let flight): return (.begin(flight: flight), nil)
        case .wait(let waiter): return (.join, waiter)
        case .pause(let moment): return (.rest(until: moment), nil)
        }
    }

    /// Does what comes with a step.
    @inline(never)
    func carryOut(_ step: CallStep) {
        if step.countsRetry { statistics.retried() }
        if let landing = step.landing { confirmations.finish(landing.flight, landing.result) }
        if let settlement = step.settlement { settle(settlement) }
        if let code = step.hiddenKeySet { tellOfHiddenKeySet(code) }
    }

    private func settle(_ settlement: CallStep.Settlement) {
        let hasOpened = breaker.with {
            $0.settle(settlement.permit, settlement.outcome, at: Clock.monotonicNanoseconds())
        }
        guard hasOpened else { return }
        statistics.breakerOpened()
        log.write(
            .warning, status: .unavailable, code: 0,
            "ten of the last twenty exchanges with Hanko failed; it is not asked for a while, but probed")
    }

    /// A call was taken on; `countEnd` must follow.
    func countBegin(_ progress: CallProgress) {
        if progress.purpose == .validation { statistics.validationBegan() }
    }

    /// The result is there for whoever asked.
    func countEnd(_ progress: CallProgress, _ reason: VerdictReason) {
        if progress.purpose == .validation { statistics.validationEnded(reason.status) }
    }
}
