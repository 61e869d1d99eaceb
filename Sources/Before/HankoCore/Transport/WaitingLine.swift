/// Who may use a connection and who waits, in order: a value without threads, fed with events.
package struct WaitingLine {
    package enum Admission: Equatable {
        case granted
        /// Wait; `leave` names this ticket when its turn has come.
        case wait(ticket: UInt64)
        /// Too many wait already.
        case refused
    }

    private let maximumInUse: Int
    private let maximumWaiting: Int
    package private(set) var inUse = 0
    /// Tickets in the order they were given, from `first` on; ascending.
    private var tickets: [UInt64] = []
    private var first = 0
    private var nextTicket: UInt64 = 1

    package init(maximumInUse: Int, maximumWaiting: Int) {
        self.maximumInUse = maximumInUse
        self.maximumWaiting = maximumWaiting
    }

    package var waitingCount: Int { tickets.count &- first }

    /// Somebody wants a connection.
    package mutating func enter() -> Admission {
        if inUse < maximumInUse {
            inUse &+= 1
            return .granted
        }
        guard waitingCount < maximumWaiting else { return .refused }
        return .wait(ticket: addTicket())
    }

    /// Likewise for one who speaks for many and is never refused.
    ///
    /// - Returns: nil when granted, otherwise the ticket.
    package mutating func enterOrWait() -> UInt64? {
        guard inUse >= maximumInUse else {
            inUse &+= 1
            return nil
        }
        return addTicket()
    }

    private mutating func addTicket() -> UInt64 {
        let ticket = nextTicket
        nextTicket &+= 1
        tickets.append(ticket)
        return ticket
    }

    /// Somebody is done with a connection.
    ///
    /// - Returns: the ticket whose turn has come; it is in use from now on. Nil when nobody waits.
    package mutating func leave() -> UInt64? {
        guard first < tickets.count else {
            inUse = max(0, inUse &- 1)
            return nil
        }
        let ticket = tickets[first]
        first &+= 1
        // The front is cut off only now and then, so that a long line costs no more for each who leaves it.
        if first > 64, first &* 2 > tickets.count {
            tickets.removeFirst(first)
            first = 0
        }
        return ticket
    }

    /// Somebody does not want to wait any longer.
    ///
    /// - Returns: false when the turn of this ticket has come already; `leave` must follow then.
    package mutating func giveUp(_ ticket: UInt64) -> Bool {
        var lower = first
        var upper = tickets.count
        while lower < upper {
            let middle = lower &+ (upper &- lower) / 2
            if tickets[middle] < ticket {
                lower = middle &+ 1
            } else {
                upper = middle
            }
        }
        guard lower < tickets.count, tickets[lower] == ticket else { return false }
        tickets.remove(at: lower)
        return true
    }
}
