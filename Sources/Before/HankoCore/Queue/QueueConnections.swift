/// What a worker has of connections: its turns, the exchanges that are under way and for whom, and those that are kept.
struct QueueConnections {
    private let context: CallContext
    private let table: ConnectionTable
    private let wake: () -> Void
    /// The call that each exchange under way is for, by the exchange's slot.
    private var underWay: [Submission?] = []
    private var freeSlots: [Int] = []
    private var idle: [Exchange] = []
    /// The place in line for a connection, while all are in use.
    private var ticket: UInt64?
    /// Turns that came and are not used yet.
    private var turns = 0

    /// - Parameter wake: is called when a turn that was waited for has come, from any thread, with a lock held; the worker
    ///   then calls `turnCame`.
    init(_ context: CallContext, _ table: ConnectionTable, wake: @escaping () -> Void) {
        self.context = context
        self.table = table
        self.wake = wake
    }

    // MARK: Turns

    /// Takes a turn, or a place in line.
    ///
    /// - Returns: false when there is none yet.
    mutating func takeTurn() -> Bool {
        if turns > 0 {
            turns &-= 1
            return true
        }
        guard ticket == nil else { return false }
        ticket = context.limit.enter(orWake: wake)
        return ticket == nil
    }

    mutating func turnCame() {
        ticket = nil
        turns &+= 1
    }

    /// Nobody here needs a turn: those that came are somebody else's, and so is the place in line.
    ///
    /// - Parameter isLast: nothing comes after this. Otherwise a turn that has come meanwhile is noted, and given back
    ///   when the note is read.
    mutating func giveTurnsBack(isLast: Bool = false) {
        while turns > 0 {
            turns &-= 1
            context.limit.leave()
        }
        guard let ticket else { return }
        if context.limit.giveUp(ticket) {
            self.ticket = nil
        } else if isLast {
            context.limit.leave()
        }
    }

    // MARK: Exchanges

    /// Lends an exchange to a call that has a turn; `giveBack` must follow.
    ///
    /// - Throws: why there is none; the turn is given back.
    @inline(never)
    mutating func lend(to submission: Submission) throws(TransportFailure) {
        do {
            occupy(try borrow(), submission)
        } catch {
            context.limit.leave()
            throw error
        }
    }

    private mutating func borrow() throws(TransportFailure) -> Exchange {
        if let kept = idle.popLast() { return kept }
        return try Exchange.make(
            context.configuration, url: context.url, process: context.process, connections: table)
    }

    private mutating func occupy(_ exchange: Exchange, _ submission: Submission) {
        if let slot = freeSlots.popLast() {
            exchange.slot = slot
            underWay[slot] = submission
        } else {
            exchange.slot = underWay.count
            underWay.append(submission)
        }
        submission.exchange = exchange
        submission.place = .underWay
    }

    /// Takes back what a call has, if it has anything.
    @inline(never)
    mutating func giveBack(_ submission: Submission) {
        guard let exchange = submission.exchange else { return }
        submission.exchange = nil
        let isKept = exchange.releaseConnection()
        exchange.erase()
        underWay[exchange.slot] = nil
        freeSlots.append(exchange.slot)
        if isKept { idle.append(exchange) }
        context.limit.leave()
    }

    /// The call that an exchange is for.
    func submission(of exchange: Exchange) -> Submission? { underWay[exchange.slot] }

    /// The number that is above that of every exchange under way.
    var slotCount: Int { underWay.count }

    func submission(inSlot slot: Int) -> Submission? { underWay[slot] }
}
