import CSystem

/// The background thread of one client: carries out the calls of all its completion queues, many at a time.
///
/// It decides nothing about them, which is what `CallProgress` is for. Who submits or cancels leaves a note and goes on.
///
/// Its steps call each other from many places; those that are large are not inlined, to keep the library small.
final class QueueWorker: @unchecked Sendable {
    private let context: CallContext
    private let loop: TransferLoop
    private let mailbox: WorkerMailbox
    private let returned = ReturnedSessions()
    private var thread = pthread_t()

    // MARK: What belongs to the thread

    /// What is to be carried out.
    private var notes = WorkerNotes()
    private var connections: QueueConnections
    /// Those that wait for a connection, in the order of their deadlines.
    private var waiting = SubmissionList()
    private var resting = RestingSubmissions()
    /// The queues with something that ended in this round.
    private var published: [Completions] = []

    /// Starts the thread.
    ///
    /// - Returns: nil when memory, descriptors or threads are lacking.
    static func make(_ context: CallContext) -> QueueWorker? {
        guard let loop = TransferLoop.make(context.configuration, process: context.process) else { return nil }
        let worker = QueueWorker(context, loop)
        return worker.start() ? worker : nil
    }

    private init(_ context: CallContext, _ loop: TransferLoop) {
        self.context = context
        self.loop = loop
        mailbox = WorkerMailbox(waking: loop)
        connections = QueueConnections(context, loop.connections) { [mailbox] in mailbox.leave { $0.hasTurn = true } }
    }

    private func start() -> Bool {
        // Signals are for the host's own threads.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        guard pthread_sigmask(SIG_SETMASK, &all, &before) == 0 else { return false }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let address = Unmanaged.passUnretained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { address in
                guard let address else { return nil }
                // A logger of the host runs here.
                _ = CallGuard()  // for ever
                pthread_setname_np(pthread_self(), "hanko-queue")
                Unmanaged<QueueWorker>.fromOpaque(address).takeUnretainedValue().run()
                return nil
            }, address)
        return code == 0
    }

    // MARK: For other threads

    /// Hands over a submission that its queue has admitted.
    func submit(_ submission: Submission) {
        mailbox.leave { $0.arrived.append(submission) }
    }

    /// Withdraws the submissions of a tag. They still complete, with the result that they have by then or as cancelled.
    func cancel(_ tag: UInt64, of completions: Completions) {
        mailbox.leave { notes in
            completions.forEachSubmission(of: tag) { submission in
                guard !submission.isToBeWithdrawn else { return }
                submission.isToBeWithdrawn = true
                notes.cancelled.append(submission)
            }
        }
    }

    /// Withdraws all submissions of a queue that was closed.
    func cancelAll(of completions: Completions) {
        mailbox.leave { $0.closed.append(completions) }
    }

    /// Ends the thread and waits for that. All queues must have been closed.
    func stop() {
        mailbox.leave { $0.isStopping = true }
        pthread_join(thread, nil)
    }

    // MARK: The thread

    private func run() {
        while true {
            mailbox.take(&notes)
            returned.free(staysAwake: true)
            readNotes()
            if notes.isStopping { break }
            guard context.process.gate.enter() else {
                // The process exits: libcurl must not be touched any more.
                notes.removeAll()
                endAll(.transport(.processExits), usesLibrary: false)
                publish()
                Clock.sleep(until: Clock.monotonicNanoseconds() &+ 10_000_000)
                continue
            }
            carryOutNotes()
            // Once more, so that what begins now is sent before the wait.
            var rounds = 2
            repeat {
                loop.work()
                while let exchange = loop.nextEnded() { ended(exchange) }
                if loop.isBroken { giveUpExchanges() }
                wakeResting()
                giveUpWaiting()
                rounds &-= 1
            } while startWaiting() && rounds > 0
            context.process.gate.leave()
            publish()
            sleep()
        }
        endThread()
    }

    private func readNotes() {
        if notes.hasTurn { connections.turnCame() }
        var next = notes.arrived.first
        while let submission = next {
            next = submission.next
            submission.place = .waiting
            if submission.isWithdrawn { notes.cancelled.append(submission) }
        }
        waiting.append(contentsOf: &notes.arrived)
    }

    private func carryOutNotes() {
        for submission in notes.confirmed { confirmationEnded(submission) }
        while let submission = notes.cancelled.popFirst() { end(submission, .cancelled) }
        for completions in notes.closed { endAll(.cancelled, of: completions) }
        notes.removeAll()
    }

    private func sleep() {
        let sleeps = mailbox.fallAsleep()
        if sleeps { returned.free(staysAwake: false) }
        // Events are collected in any case.
        loop.wait(until: sleeps ? nextMoment() : 0)
    }

    private func nextMoment() -> Int64? {
        let deadline = waiting.first?.progress.deadline.nanoseconds
        guard let rest = resting.first?.restsUntil else { return deadline }
        return deadline.map { min($0, rest) } ?? rest
    }

    private func endThread() {
        let usesLibrary = context.process.gate.enter()
        endAll(.cancelled, usesLibrary: usesLibrary)
        if usesLibrary { context.process.gate.leave() }
        publish()
        notes.removeAll()
        connections.giveTurnsBack(isLast: true)
        returned.free(staysAwake: false)
    }

    // MARK: Connections

    /// Begins as many of those that wait as there are connections for.
    ///
    /// - Returns: whether any was begun.
    private func startWaiting() -> Bool {
        var hasBegun = false
        while let submission = waiting.first {
            if let action = refusal(of: submission) {
                waiting.remove(submission)
                carryOut(action, for: submission)
                continue
            }
            guard connections.takeTurn() else { return hasBegun }
            waiting.remove(submission)
            start(submission)
            hasBegun = true
        }
        connections.giveTurnsBack()
        return hasBegun
    }

    private func refusal(of submission: Submission) -> CallAction? {
        guard case .candidate = submission.need else { return nil }
        return submission.progress.refusal()
    }

    /// There is a turn for a call that needs a request.
    @inline(never)
    private func start(_ submission: Submission) {
        do {
            try connections.lend(to: submission)
        } catch {
            couldNotStart(submission, error)
            return
        }
        switch submission.need {
        case .candidate(let candidate):
            if let action = submission.progress.admission() {
                connections.giveBack(submission)
                carryOut(action, for: submission)
            } else {
                send(candidate, for: submission, freshConnection: false)
            }
        case .keySet:
            askForKeySet(submission)
        }
    }

    private func couldNotStart(_ submission: Submission, _ failure: TransportFailure) {
        switch submission.need {
        case .candidate: carryOut(submission.progress.failed(failure), for: submission)
        case .keySet: keySetEnded(KeySetAnswer(notAsked: failure), for: submission)
        }
    }

    // MARK: Steps of a call

    @inline(never)
    private func carryOut(_ action: CallAction, for submission: Submission) {
        var action = action
        while true {
            switch action {
            case .send(let candidate, replacingConnection: true):
                send(candidate, for: submission, freshConnection: true)
                return
            case .send(let candidate, replacingConnection: false):
                submission.need = .candidate(candidate)
                wait(submission)
                return
            case .pause(let nanoseconds):
                rest(submission, until: Clock.monotonicNanoseconds() &+ nanoseconds)
                return
            case .confirm(let candidate):
                guard let next = confirm(submission, candidate) else { return }
                action = next
            case .askForKeySet:
                submission.need = .keySet
                wait(submission)
                return
            case .finish(let reason):
                finish(submission, reason)
                return
            }
        }
    }

    private func send(_ candidate: Int, for submission: Submission, freshConnection: Bool) {
        guard let exchange = submission.exchange, let token = submission.credentials[candidate] else {
            return finish(submission, .transport(.localShortage))
        }
        submission.need = .candidate(candidate)
        submission.progress.sends()
        begin(
            exchange,
            isReady: exchange.prepare(
                token.text, until: submission.progress.deadline, freshConnection: freshConnection))
    }

    private func askForKeySet(_ submission: Submission) {
        guard let exchange = submission.exchange else { return keySetEnded(.failed(.localShortage), for: submission) }
        submission.need = .keySet
        let progress = submission.progress
        begin(
            exchange,
            isReady: exchange.prepareKeySet(
                until: progress.deadline, freshConnection: progress.replacesKeySetConnection))
    }

    private func begin(_ exchange: Exchange, isReady: Bool) {
        guard isReady else { return ended(exchange) }
        if loop.begin(exchange) { return }
        exchange.prevent(.localShortage)
        ended(exchange)
    }

    /// An exchange is over.
    private func ended(_ exchange: Exchange) {
        guard let submission = connections.submission(of: exchange) else { return }
        switch submission.need {
        case .candidate(let candidate):
            // There always is one: `ValidationCall` knows how many there are.
            guard let token = submission.credentials[candidate] else {
                return finish(submission, .transport(.localShortage))
            }
            let (action, keepsExchange) = submission.progress.ended(exchange, token)
            if !keepsExchange { connections.giveBack(submission) }
            carryOut(action, for: submission)
        case .keySet:
            if let answer = submission.progress.keySetEnded(exchange) {
                keySetEnded(answer, for: submission)
            } else {
                askForKeySet(submission)
            }
        }
    }

    /// libcurl ran out of memory and cannot go on with what it has.
    @inline(never)
    private func giveUpExchanges() {
        var slot = 0
        while slot < connections.slotCount {
            if let exchange = connections.submission(inSlot: slot)?.exchange, exchange.isInLoop {
                loop.giveUp(exchange)
                exchange.prevent(.localShortage)
                ended(exchange)
            }
            slot &+= 1
        }
    }

    // MARK: The key set

    /// - Returns: what to do when the "no" is confirmed at once, or is not.
    private func confirm(_ submission: Submission, _ candidate: Int) -> CallAction? {
        let mayBeGood = submission.credentials[candidate].map { submission.progress.mayBeGood($0) } ?? false
        submission.need = .candidate(candidate)
        let decision = context.confirmations.decide(
            rejectedAt: submission.progress.rejectedAt, mayBeGood: mayBeGood,
            wake: { [mailbox] in mailbox.leave { $0.confirmed.append(submission) } })
        switch decision {
        case .use(let result):
            connections.giveBack(submission)
            return submission.progress.confirmed(.result(result))
        case .begin(let flight):
            submission.flight = flight
            guard submission.exchange == nil else {
                askForKeySet(submission)
                return nil
            }
            submission.need = .keySet
            wait(submission)
            return nil
        case .wait(let waiter):
            // Whoever waits needs no connection.
            connections.giveBack(submission)
            submission.waiter = waiter
            rest(submission, until: submission.progress.deadline.nanoseconds)
            return nil
        case .pause(let moment):
            connections.giveBack(submission)
            guard moment < submission.progress.deadline.nanoseconds else { return submission.progress.confirmed(.late) }
            submission.confirmsAgain = true
            rest(submission, until: moment)
            return nil
        }
    }

    /// The call that this one waited for has the key set, or has given up.
    private func confirmationEnded(_ submission: Submission) {
        guard let waiter = submission.waiter, context.confirmations.isOver(waiter) else { return }
        guard case .candidate(let candidate) = submission.need else { return }
        resting.remove(submission)
        submission.waiter = nil
        let result = waiter.result
        let action = result.map { submission.progress.confirmed(.result($0)) } ?? .confirm(candidate: candidate)
        carryOut(action, for: submission)
    }

    @inline(never)
    private func keySetEnded(_ answer: KeySetAnswer, for submission: Submission) {
        connections.giveBack(submission)
        guard let flight = submission.flight else {
            carryOut(submission.progress.checked(answer), for: submission)
            return
        }
        submission.flight = nil
        context.confirmations.finish(flight, answer.shared)
        carryOut(submission.progress.confirmed(answer), for: submission)
    }

    // MARK: Time

    private func wait(_ submission: Submission) {
        submission.place = .waiting
        waiting.insertByDeadline(submission)
    }

    private func rest(_ submission: Submission, until moment: Int64) {
        submission.place = .resting
        resting.insert(submission, until: moment)
    }

    private func wakeResting() {
        let now = Clock.monotonicNanoseconds()
        while let submission = resting.first, submission.restsUntil <= now {
            resting.remove(submission)
            if let waiter = submission.waiter {
                context.confirmations.giveUp(waiter)
                submission.waiter = nil
                let result = context.confirmations.isOver(waiter) ? waiter.result : nil
                carryOut(submission.progress.confirmed(result.map { .result($0) } ?? .late), for: submission)
            } else if submission.confirmsAgain, case .candidate(let candidate) = submission.need {
                submission.confirmsAgain = false
                carryOut(.confirm(candidate: candidate), for: submission)
            } else {
                carryOut(submission.progress.paused(), for: submission)
            }
        }
    }

    /// Ends the calls that waited for a connection until their deadline.
    private func giveUpWaiting() {
        let now = Clock.monotonicNanoseconds()
        while let submission = waiting.first, submission.progress.deadline.hasPassed(at: now) {
            waiting.remove(submission)
            couldNotStart(submission, .deadline)
        }
    }

    // MARK: The end of a call

    @inline(never)
    private func finish(_ submission: Submission, _ reason: VerdictReason) {
        submission.progress.giveUp(submission.exchange)
        connections.giveBack(submission)
        submission.end(reason)
        submission.session?.origin = returned
        context.report(reason)
        let completions = submission.completions
        if completions.ended.isEmpty { published.append(completions) }
        completions.ended.append(submission)
    }

    /// Ends a call wherever it is.
    @inline(never)
    private func end(_ submission: Submission, _ reason: VerdictReason, usesLibrary: Bool = true) {
        switch submission.place {
        case .ended: return
        case .arriving:
            // Cancelled before its own arrival was noted.
            submission.isWithdrawn = true
            return
        case .waiting: waiting.remove(submission)
        case .resting: resting.remove(submission)
        case .underWay:
            if let exchange = submission.exchange {
                if usesLibrary { loop.giveUp(exchange) }
                // Any failure would do: it must not look like a clean end.
                exchange.prevent(.processExits)
            }
        }
        if let waiter = submission.waiter {
            context.confirmations.giveUp(waiter)
            submission.waiter = nil
        }
        if let flight = submission.flight {
            submission.flight = nil
            context.confirmations.finish(flight, nil)
        }
        finish(submission, reason)
    }

    /// Ends all calls, or those of one queue.
    @inline(never)
    private func endAll(_ reason: VerdictReason, of completions: Completions? = nil, usesLibrary: Bool = true) {
        func isMeant(_ submission: Submission) -> Bool {
            completions == nil || submission.completions === completions
        }
        // One by one and not as a list, which would need memory for all of them.
        var next = waiting.first
        while let submission = next {
            next = submission.next
            if isMeant(submission) { end(submission, reason, usesLibrary: usesLibrary) }
        }
        var rested = resting.takeAll(where: isMeant)
        while let submission = rested.popFirst() { end(submission, reason, usesLibrary: usesLibrary) }
        var slot = 0
        while slot < connections.slotCount {
            if let submission = connections.submission(inSlot: slot), isMeant(submission) {
                end(submission, reason, usesLibrary: usesLibrary)
            }
            slot &+= 1
        }
    }

    /// Shows the owners of the queues what ended in this round.
    private func publish() {
        for completions in published { completions.publish() }
        published.removeAll(keepingCapacity: true)
    }
}
