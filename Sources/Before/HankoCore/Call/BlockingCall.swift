/// Carries out one call on the caller's own thread.
struct BlockingCall {
    private let context: CallContext
    private let credentials: Credentials
    private var progress: CallProgress
    private var exchange: Exchange?

    /// - Parameter deadline: nil for that of a call that begins now.
    init(
        _ context: CallContext, _ purpose: CallProgress.Purpose, _ credentials: Credentials, wantsSession: Bool,
        deadline: Deadline? = nil
    ) {
        self.context = context
        self.credentials = credentials
        progress = CallProgress(
            context, purpose, candidateCount: credentials.count, wantsSession: wantsSession, deadline: deadline)
    }

    /// Runs the call to its end.
    mutating func run() -> Judgement {
        progress.countBegin()
        var action = progress.begin()
        while true {
            switch action {
            case .send(let candidate, let replacingConnection):
                action = send(credentials[candidate], replacingConnection: replacingConnection)
            case .pause(let nanoseconds):
                Clock.sleep(until: Clock.monotonicNanoseconds() &+ nanoseconds)
                action = progress.paused()
            case .confirm(let candidate):
                let answer = confirm(mayBeGood: credentials[candidate].map { progress.mayBeGood($0) } ?? false)
                giveBack()
                action = progress.confirmed(answer)
            case .askForKeySet:
                let answer = askForKeySet()
                giveBack()
                action = progress.checked(answer)
            case .finish(let reason):
                progress.countEnd(reason)
                return Judgement(reason, session: reason == .accepted ? progress.session : nil)
            }
        }
    }

    private mutating func send(_ token: SessionToken?, replacingConnection: Bool) -> CallAction {
        // There always is one: `ValidationCall` knows how many there are.
        guard let token else { return progress.failed(.localShortage) }
        if !replacingConnection {
            if let action = progress.refusal() { return action }
            do {
                exchange = try context.pool.borrow(until: progress.deadline)
            } catch {
                return progress.failed(error)
            }
            if let action = progress.admission() {
                giveBack()
                return action
            }
        }
        guard let exchange else { return progress.failed(.localShortage) }
        progress.sends()
        if exchange.prepare(token.text, until: progress.deadline, freshConnection: replacingConnection) {
            exchange.perform()
        }
        let (action, keepsExchange) = progress.ended(exchange, token)
        if !keepsExchange { giveBack() }
        return action
    }

    private mutating func confirm(mayBeGood: Bool) -> KeySetAnswer {
        while true {
            let signal = Signal()
            let decision = context.confirmations.decide(
                rejectedAt: progress.rejectedAt, mayBeGood: mayBeGood, wake: { signal.wake() })
            switch decision {
            case .use(let result):
                return .result(result)
            case .begin(let flight):
                let answer = askForKeySet()
                context.confirmations.finish(flight, answer.shared)
                return answer
            case .wait(let waiter):
                // Whoever waits needs no connection.
                giveBack()
                guard context.confirmations.wait(waiter, signal, until: progress.deadline) else { return .late }
                if let result = waiter.result { return .result(result) }
            case .pause(let moment):
                giveBack()
                // One that does not fit the deadline would only make the caller wait for nothing.
                guard moment < progress.deadline.nanoseconds else { return .late }
                Clock.sleep(until: moment)
            }
        }
    }

    /// Asks for the key set, with the exchange that is at hand, so that the same connection is used, or another one.
    private mutating func askForKeySet() -> KeySetAnswer {
        if exchange == nil {
            do {
                exchange = try context.pool.borrow(until: progress.deadline)
            } catch {
                return KeySetAnswer(notAsked: error)
            }
        }
        guard let exchange else { return .failed(.localShortage) }
        while true {
            let freshConnection = progress.replacesKeySetConnection
            if exchange.prepareKeySet(until: progress.deadline, freshConnection: freshConnection) {
                exchange.perform()
            }
            if let answer = progress.keySetEnded(exchange) { return answer }
        }
    }

    private mutating func giveBack() { context.pool.giveBack(&exchange) }
}
