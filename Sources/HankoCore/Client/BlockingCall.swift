/// Carries out one `ValidationCall` on the caller's own thread.
struct BlockingCall {
    private let core: ClientCore
    private let credentials: Credentials
    private let wantsSession: Bool
    /// The start-up test asks even while the breaker is open, and does not change it.
    private let passesBreaker: Bool
    private let deadline: Deadline
    private var call: ValidationCall
    private var exchange: Exchange?
    private var permit: CircuitBreaker.Permit?
    private var rejectedAt: Int64 = 0
    /// The next request is one that failed before.
    private var isRetry = false
    private var session: Session?
    /// The server's time in the last answer.
    private(set) var serverDate: Int64?

    init(_ core: ClientCore, _ credentials: Credentials, wantsSession: Bool, passesBreaker: Bool = false) {
        self.core = core
        self.credentials = credentials
        self.wantsSession = wantsSession
        self.passesBreaker = passesBreaker
        deadline = Deadline(
            milliseconds: core.configuration.timeoutMilliseconds, after: Clock.monotonicNanoseconds())
        var configuration = core.configuration
        if passesBreaker { configuration.confirmsRejections = false }
        call = ValidationCall(candidateCount: credentials.count, configuration: configuration, deadline: deadline)
    }

    /// Runs the call to its end.
    mutating func run() -> Judgement {
        var action = call.begin()
        while true {
            switch action {
            case .send(let candidate, let replacingConnection):
                action = send(candidate, replacingConnection: replacingConnection)
            case .pause(let nanoseconds):
                isRetry = true
                Clock.sleep(until: Clock.monotonicNanoseconds() &+ nanoseconds)
                action = call.paused()
            case .confirm(let candidate):
                action = confirm(candidate)
            case .finish(let reason):
                return Judgement(reason, session: reason == .accepted ? session : nil)
            }
        }
    }

    /// Asks for the key set, for the start-up test.
    mutating func askForKeySet() -> ConfirmationResult {
        do {
            try borrow()
        } catch {
            return .outage(0)
        }
        let result = keySet()
        giveBack()
        return result ?? .outage(0)
    }

    // MARK: Actions

    private mutating func send(_ candidate: Int, replacingConnection: Bool) -> ValidationCall.Action {
        let token = credentials[candidate]
        // What else could be wrong with a candidate was seen when it became one.
        if SessionToken.isTooLong(token) { return call.judged(.tokenTooLong) }
        if !replacingConnection {
            // Asked before waiting in line as well, so that nobody waits for nothing.
            guard passesBreaker || core.breaker.wouldAdmit() else { return .finish(.transport(.breakerOpen)) }
            do {
                try borrow()
            } catch {
                return .finish(.transport(error))
            }
            guard passesBreaker || admit() else {
                giveBack()
                return .finish(.transport(.breakerOpen))
            }
        }
        guard let exchange else { return .finish(.transport(.localShortage)) }
        if isRetry { core.statistics.retried() }
        isRetry = false
        let began = Clock.monotonicNanoseconds()
        exchange.ask(about: token, until: deadline, freshConnection: replacingConnection)
        count(exchange)
        // A deadline says something about the server only when that had at least half of the configured time.
        let hadTime =
            (deadline.nanoseconds &- began) / 1_000_000 &* 2 >= core.configuration.timeoutMilliseconds
        let (report, outcome) = judge(exchange, token, hadTime: hadTime)
        rejectedAt = Clock.monotonicNanoseconds()
        let action = call.ended(report, now: rejectedAt)
        switch action {
        case .send(_, replacingConnection: true):
            return action  // the same exchange still
        case .confirm:
            return action  // what it says about the server is not known yet
        default:
            settle(outcome)
            giveBack()
            return action
        }
    }

    private mutating func judge(_ exchange: Exchange, _ token: ByteView, hadTime: Bool) -> (
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
                end, token: token, audiences: core.configuration.audiences, now: now, wantsSession: wantsSession)
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

    private mutating func confirm(_ candidate: Int) -> ValidationCall.Action {
        let mayBeGood = TokenPayload.mayBeGood(credentials[candidate], now: Clock.secondsSince1970())
        var held = exchange
        exchange = nil
        let pool = core.pool
        let deadline = deadline
        let statistics = core.statistics
        let result = core.confirmations.confirm(
            rejectedAt: rejectedAt, mayBeGood: mayBeGood, until: deadline,
            ask: {
                guard let exchange = Self.usable(&held, pool, deadline) else { return nil }
                return Self.keySet(exchange, until: deadline, statistics)
            },
            beforeWaiting: {
                // Whoever waits needs no connection.
                pool.giveBack(&held)
            })
        pool.giveBack(&held)
        switch result {
        case .outage(let code):
            // A caller whose own time ran out learnt nothing.
            settle(code == 0 && deadline.hasPassed(at: Clock.monotonicNanoseconds()) ? .nothing : .failure)
        case .stands, .notShown:
            settle(.success)
        }
        return call.confirmed(result)
    }

    /// The handle of the exchange that was answered with "no", so that the same connection is used; or another one.
    private static func usable(_ held: inout Exchange?, _ pool: HandlePool, _ deadline: Deadline) -> Exchange? {
        if let held { return held }
        held = try? pool.borrow(until: deadline)
        return held
    }

    private func keySet() -> ConfirmationResult? {
        exchange.flatMap { Self.keySet($0, until: deadline, core.statistics) }
    }

    /// - Returns: nil when the deadline ended the request.
    private static func keySet(
        _ exchange: Exchange, until deadline: Deadline, _ statistics: Statistics
    ) -> ConfirmationResult? {
        var freshConnection = false
        while true {
            exchange.askForKeySet(until: deadline, freshConnection: freshConnection)
            statistics.sentRequests(exchange.sentRequests)
            statistics.openedConnections(exchange.openedConnections)
            let usedKeptConnection = exchange.usedKeptConnection
            let answerBegan = exchange.answerBegan
            let (result, isDead): (ConfirmationResult?, Bool) = exchange.withEnd { end in
                if case .failure(.deadline) = end { return (nil, false) }
                let isDead = ExchangeReport.isDeadConnection(
                    end, usedKeptConnection: usedKeptConnection, answerBegan: answerBegan)
                return (ConfirmationResult(end), isDead)
            }
            guard isDead, !freshConnection else { return result }
            freshConnection = true
        }
    }

    // MARK: What it holds

    private mutating func borrow() throws(TransportFailure) { exchange = try core.pool.borrow(until: deadline) }

    private mutating func giveBack() { core.pool.giveBack(&exchange) }

    private mutating func admit() -> Bool {
        permit = core.breaker.admit()
        return permit != nil
    }

    private mutating func settle(_ outcome: ExchangeOutcome) {
        guard let permit else { return }
        self.permit = nil
        guard core.breaker.settle(permit, outcome) else { return }
        core.statistics.breakerOpened()
        core.log.write(
            .warning, status: .unavailable, code: 0,
            "ten of the last twenty exchanges with Hanko failed; it is not asked for a while, but probed")
    }

    private func count(_ exchange: Exchange) {
        core.statistics.sentRequests(exchange.sentRequests)
        core.statistics.openedConnections(exchange.openedConnections)
    }

    /// A kept connection that the server closed meanwhile is nothing special; one on which it spoke unasked is.
    private func warnOfUnaskedBytes() {
        core.log.write(.warning, status: .protocolError, code: 0, TransportFailure.unaskedBytes.text)
    }
}
