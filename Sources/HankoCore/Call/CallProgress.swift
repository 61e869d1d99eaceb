/// One call under way, from its first candidate to its result: a value that is fed with events and answers with steps.
///
/// Both drivers, the blocking one and the queue, only do what it says. It has no connection, clock, random number or log.
/// Nothing in it can make a yes: `.accepted` comes from `Verdict` and ends the call.
package struct CallProgress {
    package enum Purpose {
        case validation
        /// The start-up test: it asks even while the breaker is open, does not change it, and is not counted.
        case check
    }

    /// Whether the breaker lets a request out.
    package enum Admission {
        case granted(CircuitBreaker.Permit)
        case refused
        /// It was not asked.
        case notNeeded
    }

    /// What another call's key set, or one of the last second, means for this call's "no".
    package enum Decision: Equatable {
        case use(ConfirmationResult)
        /// Ask for the key set, in the name of all who wait for this flight.
        case begin(flight: UInt64)
        case join
        /// Ask again at this moment.
        case rest(until: Int64)
    }

    private enum Stage {
        /// A request about the candidate is next or under way.
        case candidate
        /// A request for the key set is next or under way.
        case keySet
        /// It is asked whether the "no" needs a request, or another call's is waited for.
        case confirming
        case ended
    }

    package let purpose: Purpose
    package let deadline: Deadline
    package let wantsSession: Bool
    private let timeoutMilliseconds: Int64
    private let candidateCount: Int
    private let confirmsRejections: Bool
    private var stage = Stage.candidate
    private var candidate = 0
    private var retriesLeft: Int64
    /// How many retries came before; for the backoff.
    package private(set) var retryCount: Int64 = 0
    private var holdsTurn = false
    private var permit: CircuitBreaker.Permit?
    /// The request for the key set that others may wait for, as well.
    private var flight: UInt64?
    /// The next request is one that failed before.
    private var isRetry = false
    /// This request goes over a fresh connection, because the kept one was dead.
    private var replacesConnection = false
    /// A request of this call went out once more because its answer was nobody's.
    private var hasAskedOnceMore = false
    /// When the request that is under way was begun.
    private var began: Int64 = 0
    /// When the "no" that needs a confirmation arrived.
    package private(set) var rejectedAt: Int64 = 0
    private var clockOffset: Int64?
    /// Why the first candidate that could not be judged could not.
    private var firstUnjudged: VerdictReason?
    /// Only after a yes, and only where it was asked for.
    package private(set) var session: Session?
    /// Of the request that was sent last; nil when none was.
    package private(set) var requestID: RequestID?

    /// - Parameters:
    ///   - candidateCount: how many tokens may be asked about, at least one.
    ///   - deadline: when the call must be over.
    ///   - wantsSession: whether somebody wants to know whose session it is.
    package init(
        _ purpose: Purpose, candidateCount: Int, _ configuration: Configuration, deadline: Deadline, wantsSession: Bool
    ) {
        self.purpose = purpose
        self.deadline = deadline
        self.wantsSession = wantsSession
        self.candidateCount = candidateCount
        timeoutMilliseconds = configuration.timeoutMilliseconds
        confirmsRejections = configuration.confirmsRejections
        retriesLeft = configuration.maximumRetries
    }

    /// What it needs its turn, or its connection, for: the candidate; nil for the key set.
    package var currentCandidate: Int? { stage == .candidate ? candidate : nil }

    /// Whether the breaker is to be asked before a request goes out. The key set belongs to the exchange before it.
    package var needsPermit: Bool { stage == .candidate && purpose == .validation }

    // MARK: Turns

    package mutating func begin() -> CallStep { takeTurn() }

    private mutating func takeTurn() -> CallStep {
        replacesConnection = false
        return CallStep(.takeTurn)
    }

    /// A turn came.
    @inline(never)
    package mutating func turnCame(_ admission: Admission, now: Int64) -> CallStep {
        holdsTurn = true
        switch admission {
        case .granted(let permit): self.permit = permit
        case .refused: return finish(.transport(.breakerOpen))
        case .notNeeded: break
        }
        return stage == .keySet ? askForKeySet() : send(now)
    }

    /// No turn came, or no connection for it, for a reason that lies here.
    @inline(never)
    package mutating func refused(_ failure: TransportFailure, now: Int64) -> CallStep {
        if stage == .keySet { return keySetEnded(KeySetReport(notAsked: failure), now: now) }
        return finish(.transport(failure))
    }

    // MARK: Requests about a token

    private mutating func send(_ now: Int64) -> CallStep {
        began = now
        var step = CallStep(.send(candidate: candidate, overFreshConnection: replacesConnection))
        step.countsRetry = isRetry
        isRetry = false
        return step
    }

    /// The exchange under way ended.
    @inline(never)
    package mutating func exchangeEnded(_ report: ExchangeReport, now: Int64) -> CallStep {
        session = report.session
        clockOffset = report.clockOffset
        if let id = report.requestID { requestID = id }
        if report.foundDeadConnection, !replacesConnection {
            replacesConnection = true
            return send(now)
        }
        if report.isUnbound {
            session = nil
            guard !hasAskedOnceMore else { return settled(.nothing) { $0.judged(.unboundAnswer) } }
            hasAskedOnceMore = true
            replacesConnection = true
            return send(now)
        }
        // What a "no" says about the server is not known before it is confirmed.
        if report.reason == .rejected, purpose == .validation, confirmsRejections {
            rejectedAt = now
            stage = .confirming
            replacesConnection = false
            return CallStep(.confirm(candidate: candidate))
        }
        // A deadline says something about the server only when that had at least half of the configured time.
        let hadTime = (deadline.nanoseconds &- began) / 1_000_000 &* 2 >= timeoutMilliseconds
        return settled(ExchangeOutcome(report.health, hadTime: hadTime)) { call in
            if let pause = report.retryPause, call.retriesLeft > 0 {
                // One that does not fit the deadline would only make the caller wait for nothing.
                guard now &+ pause < call.deadline.nanoseconds else { return call.finish(report.reason) }
                call.retriesLeft &-= 1
                call.retryCount &+= 1
                call.isRetry = true
                return call.released(CallStep(.rest(until: now &+ pause)))
            }
            return call.judged(report.reason)
        }
    }

    /// A rest is over.
    package mutating func rested() -> CallStep {
        stage == .confirming ? CallStep(.confirm(candidate: candidate)) : takeTurn()
    }

    // MARK: The key set

    /// It is decided how the "no" is confirmed.
    @inline(never)
    package mutating func decided(_ decision: Decision, now: Int64) -> CallStep {
        switch decision {
        case .use(let result):
            return confirmed(.result(result), now)
        case .begin(let flight):
            self.flight = flight
            stage = .keySet
            return holdsTurn ? askForKeySet() : takeTurn()
        case .join:
            // Whoever waits needs no connection.
            return released(CallStep(.join))
        case .rest(let moment):
            // One that does not fit the deadline would only make the caller wait for nothing.
            return moment < deadline.nanoseconds ? released(CallStep(.rest(until: moment))) : confirmed(.late, now)
        }
    }

    /// Another call's request for the key set ended.
    ///
    /// - Parameter result: nil when it was given up; then it is decided anew.
    @inline(never)
    package mutating func confirmationEnded(_ result: ConfirmationResult?, now: Int64) -> CallStep {
        guard let result else { return CallStep(.confirm(candidate: candidate)) }
        return confirmed(.result(result), now)
    }

    private mutating func askForKeySet() -> CallStep {
        CallStep(.askForKeySet(overFreshConnection: replacesConnection))
    }

    /// The own request for the key set ended.
    @inline(never)
    package mutating func keySetEnded(_ report: KeySetReport, now: Int64) -> CallStep {
        if let id = report.requestID { requestID = id }
        if report.foundDeadConnection, !replacesConnection {
            replacesConnection = true
            return askForKeySet()
        }
        var answer = report.answer
        if report.isUnbound {
            if !hasAskedOnceMore {
                hasAskedOnceMore = true
                replacesConnection = true
                return askForKeySet()
            }
            answer = .result(.outage(0))
        }
        if purpose == .check { return checked(answer) }
        let landing = flight.map { CallStep.Landing(flight: $0, result: answer.shared) }
        flight = nil
        var step = confirmed(answer, now)
        step.landing = landing
        return step
    }

    /// The "no" is confirmed, or is not.
    @inline(never)
    private mutating func confirmed(_ answer: KeySetAnswer, _ now: Int64) -> CallStep {
        let outcome: ExchangeOutcome
        switch answer {
        // A caller whose own time ran out learnt nothing.
        case .result(.outage(0)) where deadline.hasPassed(at: now), .late, .failed: outcome = .nothing
        case .result(.outage): outcome = .failure
        // What stands before Hanko keeps every "no" from being confirmed; counted as a failure, garbage could open the
        // breaker for everybody.
        case .result(.stands), .result(.hidden), .result(.notShown), .result(.cached): outcome = .success
        }
        var step = settled(outcome) { call in
            switch answer {
            case .result(let result): call.judged(result.reason)
            case .late: call.judged(ConfirmationResult.outage(0).reason)
            case .failed(let failure): call.judged(.transport(failure))
            }
        }
        step.hiddenKeySet = Self.hiddenKeySet(answer)
        return step
    }

    /// The start-up test has asked for the key set.
    @inline(never)
    private mutating func checked(_ answer: KeySetAnswer) -> CallStep {
        var step =
            switch answer {
            case .result(let result): end(StartupCheck.end(after: result, confirmsRejections: confirmsRejections))
            case .late: end(StartupCheck.end(after: .outage(0), confirmsRejections: confirmsRejections))
            case .failed(let failure): end(.transport(failure))
            }
        if confirmsRejections { step.hiddenKeySet = Self.hiddenKeySet(answer) }
        return step
    }

    private static func hiddenKeySet(_ answer: KeySetAnswer) -> Int? {
        if case .result(.hidden(let code)) = answer { code } else { nil }
    }

    // MARK: The end

    /// The deadline passed while the call waited for a turn or for another call's key set.
    @inline(never)
    package mutating func deadlinePassed(now: Int64) -> CallStep {
        stage == .confirming ? confirmed(.late, now) : refused(.deadline, now: now)
    }

    /// The call ends here, whatever is under way: a probe that did not come to an end passes the probe on.
    @inline(never)
    package mutating func cancelled(_ reason: VerdictReason) -> CallStep {
        session = nil
        return end(reason)
    }

    /// The candidate is judged, by Hanko or without asking.
    @inline(never)
    private mutating func judged(_ reason: VerdictReason) -> CallStep {
        switch reason.status {
        case .ok, .unavailable, .timeout, .cancelled:
            return finish(reason)
        case .invalidToken:
            break
        default:
            if firstUnjudged == nil { firstUnjudged = reason }
        }
        guard candidate &+ 1 < candidateCount else { return finish(firstUnjudged ?? reason) }
        candidate &+= 1
        stage = .candidate
        return released(takeTurn())
    }

    /// The start-up test goes on where a validation ends.
    private mutating func finish(_ reason: VerdictReason) -> CallStep {
        guard purpose == .check else { return end(reason) }
        if let reason = StartupCheck.end(after: reason, clockOffset: clockOffset) { return end(reason) }
        stage = .keySet
        replacesConnection = false
        return holdsTurn ? askForKeySet() : takeTurn()
    }

    @inline(never)
    private mutating func end(_ reason: VerdictReason) -> CallStep {
        stage = .ended
        if reason != .accepted { session = nil }
        let landing = flight.map { CallStep.Landing(flight: $0, result: nil) }
        flight = nil
        var step = settled(.nothing) { $0.released(CallStep(.finish(reason))) }
        step.landing = landing
        return step
    }

    // MARK: What goes with a step

    private mutating func released(_ step: CallStep) -> CallStep {
        var step = step
        step.releasesTurn = step.releasesTurn || holdsTurn
        holdsTurn = false
        return step
    }

    /// Tells the breaker how the exchange went that it admitted, if it did, and then goes on.
    @inline(never)
    private mutating func settled(_ outcome: ExchangeOutcome, _ goOn: (inout CallProgress) -> CallStep) -> CallStep {
        let settlement = permit.map { CallStep.Settlement(permit: $0, outcome: outcome) }
        permit = nil
        var step = goOn(&self)
        if let settlement { step.settlement = settlement }
        return step
    }
}
