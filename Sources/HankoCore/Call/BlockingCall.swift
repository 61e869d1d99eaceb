/// Carries out one call on the caller's own thread.
struct BlockingCall {
    private let context: CallContext
    private let credentials: Credentials
    private var progress: CallProgress
    private var exchange: Exchange?

    init(_ context: CallContext, _ purpose: CallProgress.Purpose, _ credentials: Credentials, wantsSession: Bool) {
        self.context = context
        self.credentials = credentials
        progress = CallProgress(
            context, purpose, candidateCount: credentials.count, wantsSession: wantsSession)
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
                let result = confirm(mayBeGood: progress.mayBeGood(credentials[candidate]))
                giveBack()
                action = progress.confirmed(result)
            case .askForKeySet:
                let result = keySet()
                giveBack()
                action = progress.checked(result)
            case .finish(let reason):
                progress.countEnd(reason)
                return Judgement(reason, session: reason == .accepted ? progress.session : nil)
            }
        }
    }

    private mutating func send(_ token: ByteView, replacingConnection: Bool) -> CallAction {
        if !replacingConnection {
            if let action = progress.refusal(of: token) { return action }
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
        if exchange.prepare(token, until: progress.deadline, freshConnection: replacingConnection) {
            exchange.perform()
        }
        let (action, keepsExchange) = progress.ended(exchange, token)
        if !keepsExchange { giveBack() }
        return action
    }

    /// - Returns: nil when there was no answer within the deadline.
    private mutating func confirm(mayBeGood: Bool) -> ConfirmationResult? {
        while true {
            let signal = Signal()
            let decision = context.confirmations.decide(
                rejectedAt: progress.rejectedAt, mayBeGood: mayBeGood, wake: { signal.wake() })
            switch decision {
            case .use(let result):
                return result
            case .begin(let flight):
                let result = keySet()
                context.confirmations.finish(flight, result)
                return result
            case .wait(let waiter):
                // Whoever waits needs no connection.
                giveBack()
                guard context.confirmations.wait(waiter, signal, until: progress.deadline) else { return nil }
                if let result = waiter.result { return result }
            }
        }
    }

    /// Asks for the key set, with the exchange that is at hand, so that the same connection is used, or another one.
    ///
    /// - Returns: nil when there was no answer because the deadline passed, or no connection was to be had.
    private mutating func keySet() -> ConfirmationResult? {
        if exchange == nil { exchange = try? context.pool.borrow(until: progress.deadline) }
        guard let exchange else { return nil }
        while true {
            let freshConnection = progress.replacesKeySetConnection
            if exchange.prepareKeySet(until: progress.deadline, freshConnection: freshConnection) {
                exchange.perform()
            }
            if case .ended(let result) = progress.keySetEnded(exchange) { return result }
        }
    }

    private mutating func giveBack() { context.pool.giveBack(&exchange) }
}
