/// A worker's share of the turns of its client: how many requests may be under way is one number for all callers.
struct QueueTurns {
    private let limit: ConnectionLimit
    private let wake: () -> Void
    /// The place in line for a turn, while all are in use.
    private var ticket: UInt64?
    /// Turns that came and are not used yet.
    private var count = 0

    /// - Parameter wake: is called when a turn that was waited for has come, from any thread, with a lock held; the worker
    ///   then calls `turnCame`.
    init(_ limit: ConnectionLimit, wake: @escaping () -> Void) {
        self.limit = limit
        self.wake = wake
    }

    /// Takes a turn, or a place in line.
    ///
    /// - Returns: false when there is none yet.
    @inline(never)
    mutating func acquire() -> Bool {
        if count > 0 {
            count &-= 1
            return true
        }
        guard ticket == nil else { return false }
        ticket = limit.acquire(orWake: wake)
        return ticket == nil
    }

    mutating func turnCame() {
        ticket = nil
        count &+= 1
    }

    func release() { limit.release() }

    /// Nobody here needs a turn: those that came are somebody else's, and so is the place in line.
    ///
    /// - Parameter isLast: nothing comes after this. Otherwise a turn that has come meanwhile is noted, and released
    ///   when the note is read.
    mutating func releaseUnused(isLast: Bool = false) {
        while count > 0 {
            count &-= 1
            limit.release()
        }
        guard let ticket else { return }
        if limit.giveUp(ticket) {
            self.ticket = nil
        } else if isLast {
            limit.release()
        }
    }
}
