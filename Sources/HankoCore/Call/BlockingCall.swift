/// Carries out one call on the caller's own thread.
struct BlockingCall {
    private let context: CallContext
    private let credentials: Credentials
    private var progress: CallProgress
    private var connection: Connection?
    /// What another call wakes that has the key set.
    private var signal: Signal?
    private var waiter: SharedConfirmationBoard.Waiter?

    init(_ context: CallContext, _ credentials: Credentials, _ progress: CallProgress) {
        self.context = context
        self.credentials = credentials
        self.progress = progress
    }

    /// Runs the call to its end.
    @inline(never)
    mutating func run() -> CallResult {
        context.countBegin(progress)
        var step = progress.begin()
        while true {
            if step.releasesTurn { release() }
            context.carryOut(step)
            switch step.next {
            case .takeTurn: step = takeTurn()
            case .send(_, let overFreshConnection), .askForKeySet(let overFreshConnection):
                step = ask(overFreshConnection: overFreshConnection)
            case .confirm(let candidate): step = confirm(candidate)
            case .rest(let moment):
                Clock.sleep(until: moment)
                step = progress.rested()
            case .join: step = join()
            case .finish(let reason):
                context.countEnd(progress, reason)
                return context.conclude(reason, session: progress.session, progress.requestID)
            }
        }
    }

    @inline(never)
    private mutating func takeTurn() -> CallStep {
        // Nobody waits for nothing.
        if progress.needsPermit, !context.breakerWouldAdmit() {
            return progress.refused(.breakerOpen, now: Clock.monotonicNanoseconds())
        }
        do {
            try context.limit.acquire(until: progress.deadline)
        } catch {
            return progress.refused(error, now: Clock.monotonicNanoseconds())
        }
        return context.turnCame(&progress)
    }

    /// Sends the request that is next, over a connection that is kept or that is opened first.
    private mutating func ask(overFreshConnection: Bool) -> CallStep {
        // The one before is closed before another is opened.
        if overFreshConnection { connection = nil }
        let token = progress.currentCandidate.flatMap { credentials[$0]?.text }
        while !overFreshConnection, let kept = connection ?? context.pool.acquire() {
            connection = nil
            kept.exchange(token, context.writer, until: progress.deadline)
            if !kept.isDead { return ended(kept) }
            context.tellOfUnaskedBytes(kept)
        }
        do {
            let fresh = try Connection.make(context.settings)
            try fresh.open(until: progress.deadline)
            context.statistics.openedConnections(1)
            fresh.exchange(token, context.writer, until: progress.deadline)
            return ended(fresh)
        } catch {
            return context.exchangeEnded(.failure(error), nil, credentials, &progress)
        }
    }

    @inline(never)
    private mutating func ended(_ used: Connection) -> CallStep {
        let step = used.withEnd { context.exchangeEnded($0, used, credentials, &progress) }
        if context.finish(used) { connection = used }
        return step
    }

    /// Gives the turn back, and the connection.
    @inline(never)
    private mutating func release() {
        if let kept = connection.take() { context.pool.release(kept) }
        context.limit.release()
    }

    @inline(never)
    private mutating func confirm(_ candidate: Int) -> CallStep {
        let signal = Signal()
        let (decision, waiter) = context.decide(progress, credentials[candidate]) { signal.wake() }
        self.signal = signal
        self.waiter = waiter
        return progress.decided(decision, now: Clock.monotonicNanoseconds())
    }

    /// Waits for another call's key set.
    private mutating func join() -> CallStep {
        guard let waiter, let signal, context.confirmations.wait(waiter, signal, until: progress.deadline) else {
            return progress.deadlinePassed(now: Clock.monotonicNanoseconds())
        }
        return progress.confirmationEnded(waiter.result, now: Clock.monotonicNanoseconds())
    }
}
