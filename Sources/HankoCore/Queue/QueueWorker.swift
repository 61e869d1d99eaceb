import CSystem

/// The background thread of one client: carries out the calls of all its completion queues, many at a time.
///
/// It decides nothing about them, which is what `CallProgress` is for. Who submits or cancels leaves a note and goes on.
///
/// Its steps call each other from many places; those that are large are not inlined, to keep the library small.
final class QueueWorker: @unchecked Sendable {
    private let context: CallContext
    private let poller: SocketPoller
    private let openers: ConnectionOpeners
    private let mailbox: WorkerMailbox
    private let returned = ReturnedSessions()
    private var thread = pthread_t()

    // MARK: What belongs to the thread

    /// What is to be carried out.
    private var notes = WorkerNotes()
    private var turns: QueueTurns
    private var connections: QueueConnections
    /// Those that wait for a turn, until their deadlines.
    private var line = SubmissionHeap()
    /// All others that are under way, each until the moment at which it waits no longer.
    private var moments = SubmissionHeap()
    /// How many events the last wait has brought.
    private var eventCount = 0
    /// The queues with something that ended in this round.
    private var published: [Completions] = []

    /// Starts the thread.
    ///
    /// - Returns: nil when memory, descriptors or threads are lacking.
    static func make(_ context: CallContext) -> QueueWorker? {
        guard let poller = SocketPoller.make(context.process.descriptors),
            let openers = ConnectionOpeners.make(poller, context.process)
        else { return nil }
        let worker = QueueWorker(context, poller, openers)
        return worker.start() ? worker : nil
    }

    private init(_ context: CallContext, _ poller: SocketPoller, _ openers: ConnectionOpeners) {
        self.context = context
        self.poller = poller
        self.openers = openers
        mailbox = WorkerMailbox(waking: poller)
        turns = QueueTurns(context.limit) { [mailbox] in mailbox.leave { $0.hasTurn = true } }
        connections = QueueConnections(context, poller, openers)
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
            carryOutEvents()
            openers.workForTimers()
            carryOutOpened()
            carryOutMoments()
            while serveLine() {
                // Once more, so that what begins now goes out before the wait; what ends there may stand in line again.
                openers.workForTimers()
                carryOutOpened()
            }
            if openers.isBroken { giveUpConnections() }
            context.process.gate.leave()
            publish()
            sleep()
        }
        endThread()
    }

    private func readNotes() {
        if notes.hasTurn { turns.turnCame() }
        while let submission = notes.arrived.popFirst() {
            submission.place = .ready(nil)
            if submission.isWithdrawn {
                // Where those are that were cancelled in time.
                waitForTurn(submission)
                notes.cancelled.append(submission)
            } else {
                carryOut(submission.progress.begin(), for: submission)
            }
        }
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
        var milliseconds: Int32 = 0
        if sleeps {
            milliseconds = -1
            if let next = nextMoment() {
                let rest = Deadline(nanoseconds: next).remainingMilliseconds(at: Clock.monotonicNanoseconds())
                milliseconds = Int32(min(rest, 3_600_000))
            }
        }
        eventCount = poller.wait(milliseconds: milliseconds)
    }

    private func nextMoment() -> Int64? {
        var next = openers.nextMoment
        if let first = line.first { next = min(next ?? .max, first.moment) }
        if let first = moments.first { next = min(next ?? .max, first.moment) }
        return next
    }

    private func endThread() {
        let usesLibrary = context.process.gate.enter()
        endAll(.cancelled, usesLibrary: usesLibrary)
        connections.closeIdle(usesLibrary: usesLibrary)
        if usesLibrary { context.process.gate.leave() }
        publish()
        notes.removeAll()
        turns.releaseUnused(isLast: true)
        returned.free(staysAwake: false)
    }

    // MARK: Events

    private func carryOutEvents() {
        var index = 0
        while index < eventCount {
            defer { index &+= 1 }
            guard let (source, event) = poller.event(at: index) else { continue }
            switch source {
            case .opening(let socket, let opener):
                openers.work(event, on: socket, opener: opener)
                carryOutOpened()
            case .connection(let number):
                // What comes on one that is kept is looked at before the next request.
                guard let submission = connections.submission(at: number, event),
                    case .exchanging(let connection) = submission.place
                else { continue }
                goOn(submission, connection, connection.goOn())
            }
            // What begins now comes before the next one that opens: with each connection that it begins libcurl may close
            // others that are open and not in use yet.
            openers.workForTimers()
        }
        eventCount = 0
    }

    private func carryOutOpened() {
        while let (connection, code) = openers.nextOpened() {
            guard let submission = connections.submission(of: connection) else { continue }
            moments.remove(submission)
            do {
                try connections.opened(connection, code)
            } catch {
                connections.close(connection)
                submission.place = .ready(nil)
                carryOut(exchangeEnded(submission, .failure(error), nil), for: submission)
                continue
            }
            context.statistics.openedConnections(1)
            begin(submission, connection)
        }
    }

    /// The time of those is over that wait for something else than a turn.
    private func carryOutMoments() {
        let now = Clock.monotonicNanoseconds()
        while let submission = moments.first, submission.moment <= now {
            moments.remove(submission)
            switch submission.place {
            case .resting:
                submission.place = .ready(nil)
                carryOut(submission.progress.rested(), for: submission)
            case .joined(let waiter):
                submission.place = .ready(nil)
                context.confirmations.giveUp(waiter)
                let isOver = context.confirmations.isOver(waiter)
                carryOut(
                    isOver
                        ? submission.progress.confirmationEnded(waiter.result, now: now)
                        : submission.progress.deadlinePassed(now: now), for: submission)
            case .connecting(let connection):
                connections.close(connection)
                submission.place = .ready(nil)
                carryOut(exchangeEnded(submission, .failure(.deadline), nil), for: submission)
            case .exchanging(let connection):
                connection.stopWaiting()
                exchangeEnded(submission, connection)
            case .arriving, .inLine, .ready, .ended:
                break  // none of these waits there
            }
        }
    }

    // MARK: Turns

    @inline(never)
    private func waitForTurn(_ submission: Submission) {
        submission.place = .inLine
        line.insert(submission, until: submission.progress.deadline.nanoseconds)
    }

    /// Begins as many of those in line as there are turns for.
    ///
    /// - Returns: whether any was begun.
    private func serveLine() -> Bool {
        var hasBegun = false
        while let submission = line.first {
            let now = Clock.monotonicNanoseconds()
            if submission.progress.deadline.hasPassed(at: now) {
                leaveLine(submission)
                carryOut(submission.progress.deadlinePassed(now: now), for: submission)
                continue
            }
            // Nobody waits for nothing.
            if submission.progress.needsPermit, !context.breakerWouldAdmit() {
                leaveLine(submission)
                carryOut(submission.progress.refused(.breakerOpen, now: now), for: submission)
                continue
            }
            guard turns.acquire() else { return hasBegun }
            leaveLine(submission)
            carryOut(context.turnCame(&submission.progress), for: submission)
            hasBegun = true
        }
        turns.releaseUnused()
        return hasBegun
    }

    @inline(never)
    private func leaveLine(_ submission: Submission) {
        line.remove(submission)
        submission.place = .ready(nil)
    }

    /// Gives the turn of a submission back, and its connection.
    @inline(never)
    private func release(_ submission: Submission) {
        if case .ready(let connection?) = submission.place { connections.release(connection) }
        submission.place = .ready(nil)
        turns.release()
    }

    // MARK: Steps of a call

    @inline(never)
    private func carryOut(_ first: CallStep, for submission: Submission) {
        var step = first
        var waiter: SharedConfirmationBoard.Waiter?
        while true {
            if step.releasesTurn { release(submission) }
            context.carryOut(step)
            switch step.next {
            case .takeTurn:
                waitForTurn(submission)
                return
            case .send(_, let overFreshConnection), .askForKeySet(let overFreshConnection):
                guard let next = ask(submission, overFreshConnection: overFreshConnection) else { return }
                step = next
            case .confirm(let candidate):
                let decision: CallProgress.Decision
                (decision, waiter) = context.decide(submission.progress, submission.credentials[candidate]) {
                    [mailbox] in mailbox.leave { $0.confirmed.append(submission) }
                }
                step = submission.progress.decided(decision, now: Clock.monotonicNanoseconds())
            case .rest(let moment):
                submission.place = .resting
                moments.insert(submission, until: moment)
                return
            case .join:
                // There is one: it was decided just now.
                if let waiter { submission.place = .joined(waiter) }
                moments.insert(submission, until: submission.progress.deadline.nanoseconds)
                return
            case .finish(let reason):
                finish(submission, reason)
                return
            }
        }
    }

    /// Sends the request that is next, over a connection that is kept or that is opened first.
    ///
    /// - Returns: what follows when that ends at once.
    @inline(never)
    private func ask(_ submission: Submission, overFreshConnection: Bool) -> CallStep? {
        var held: Connection?
        if case .ready(let connection?) = submission.place { held = connection }
        submission.place = .ready(nil)
        if overFreshConnection, let kept = held {
            connections.close(kept)
            held = nil
        }
        while !overFreshConnection, let connection = held ?? connections.acquire(for: submission) {
            held = nil
            let wait = connection.begin(submission.tokenText, context.writer)
            if wait == nil, connection.isDead {
                context.tellOfUnaskedBytes(connection)
                connections.close(connection)
                continue
            }
            return exchanges(submission, connection, wait)
        }
        do {
            let connection = try connections.open(for: submission)
            submission.place = .connecting(connection)
            moments.insert(submission, until: submission.progress.deadline.nanoseconds)
            return nil
        } catch {
            return exchangeEnded(submission, .failure(error), nil)
        }
    }

    /// The connection of a submission is open.
    private func begin(_ submission: Submission, _ connection: Connection) {
        let wait = connection.begin(submission.tokenText, context.writer)
        if let step = exchanges(submission, connection, wait) { carryOut(step, for: submission) }
    }

    /// An exchange has begun.
    ///
    /// - Returns: what follows when it is over already.
    @inline(never)
    private func exchanges(
        _ submission: Submission, _ connection: Connection, _ wait: ConnectionState.Wait?
    ) -> CallStep? {
        submission.place = .exchanging(connection)
        guard wait == nil else {
            moments.insert(submission, until: moment(of: submission, connection))
            return nil
        }
        return stepAfterExchange(submission, connection)
    }

    /// An exchange has gone on.
    @inline(never)
    private func goOn(_ submission: Submission, _ connection: Connection, _ wait: ConnectionState.Wait?) {
        if wait == nil {
            moments.remove(submission)
            exchangeEnded(submission, connection)
        } else if connection.isWindingUp {
            // From when it began to; what trickles in does not prolong it.
            let moment = moment(of: submission, connection)
            guard moment < submission.moment else { return }
            moments.remove(submission)
            moments.insert(submission, until: moment)
        }
    }

    private func moment(of submission: Submission, _ connection: Connection) -> Int64 {
        let deadline = submission.progress.deadline.nanoseconds
        guard connection.isWindingUp else { return deadline }
        return min(deadline, Clock.monotonicNanoseconds() &+ Connection.longestWindingUp)
    }

    @inline(never)
    private func exchangeEnded(_ submission: Submission, _ connection: Connection) {
        carryOut(stepAfterExchange(submission, connection), for: submission)
    }

    /// The exchange on a connection is over.
    @inline(never)
    private func stepAfterExchange(_ submission: Submission, _ connection: Connection) -> CallStep {
        let step = connection.withEnd { exchangeEnded(submission, $0, connection) }
        if context.finish(connection) {
            submission.place = .ready(connection)
        } else {
            submission.place = .ready(nil)
            connections.close(connection)
        }
        return step
    }

    @inline(never)
    private func exchangeEnded(_ submission: Submission, _ end: ExchangeEnd, _ connection: Connection?) -> CallStep {
        context.exchangeEnded(end, connection, submission.credentials, &submission.progress)
    }

    /// libcurl ran out of memory and cannot go on with what it has.
    @inline(never)
    private func giveUpConnections() {
        connections.closeIdle()
        var slot = 0
        while slot < connections.slotCount {
            defer { slot &+= 1 }
            guard let submission = connections.submission(inSlot: slot) else { continue }
            switch submission.place {
            case .connecting(let connection):
                moments.remove(submission)
                connections.close(connection)
                submission.place = .ready(nil)
                carryOut(exchangeEnded(submission, .failure(.localShortage), nil), for: submission)
            case .exchanging(let connection):
                moments.remove(submission)
                connection.giveUp(.localShortage)
                exchangeEnded(submission, connection)
            default:
                break
            }
        }
        connections.closeIdle()
    }

    // MARK: The key set

    /// The call that this one waited for has the key set, or has given up.
    @inline(never)
    private func confirmationEnded(_ submission: Submission) {
        guard case .joined(let waiter) = submission.place, context.confirmations.isOver(waiter) else { return }
        moments.remove(submission)
        submission.place = .ready(nil)
        carryOut(
            submission.progress.confirmationEnded(waiter.result, now: Clock.monotonicNanoseconds()), for: submission)
    }

    // MARK: The end of a call

    @inline(never)
    private func finish(_ submission: Submission, _ reason: VerdictReason) {
        submission.end(reason)
        submission.session?.origin = returned
        context.report(reason, submission.progress.requestID)
        let completions = submission.completions
        if completions.ended.isEmpty { published.append(completions) }
        completions.ended.append(submission)
    }

    /// Ends a call wherever it is.
    @inline(never)
    private func end(_ submission: Submission, _ reason: VerdictReason, usesLibrary: Bool = true) {
        switch submission.place {
        case .ended, .ready:
            return
        case .arriving:
            // Cancelled before its own arrival was noted.
            submission.isWithdrawn = true
            return
        case .inLine:
            line.remove(submission)
        case .resting:
            moments.remove(submission)
        case .joined(let waiter):
            moments.remove(submission)
            context.confirmations.giveUp(waiter)
        case .connecting(let connection), .exchanging(let connection):
            moments.remove(submission)
            if connection.hasSent { context.statistics.sentRequests(1) }
            connection.giveUp(.processExits)
            _ = connection.finish()
            connections.close(connection, usesLibrary: usesLibrary)
        }
        submission.place = .ready(nil)
        carryOut(submission.progress.cancelled(reason), for: submission)
    }

    /// Ends all calls, or those of one queue.
    @inline(never)
    private func endAll(_ reason: VerdictReason, of completions: Completions? = nil, usesLibrary: Bool = true) {
        var all = line.takeAll()
        var others = moments.takeAll()
        all.append(contentsOf: &others)
        while let submission = all.popFirst() {
            // `end` takes it out of its heap.
            if case .inLine = submission.place {
                line.insert(submission, until: submission.moment)
            } else {
                moments.insert(submission, until: submission.moment)
            }
            if completions == nil || submission.completions === completions {
                end(submission, reason, usesLibrary: usesLibrary)
            }
        }
    }

    /// Shows the owners of the queues what ended in this round.
    private func publish() {
        for completions in published { completions.publish { context.countEnd($0.progress, $0.reason) } }
        published.removeAll(keepingCapacity: true)
    }
}
