/// How many requests one client has under way at a time, whoever sends them: threads that block and the completion
/// queue's own. Whoever comes beyond that waits in order.
final class ConnectionLimit: @unchecked Sendable {
    /// One that waits for its turn.
    private final class Waiter {
        let ticket: UInt64
        let wake: () -> Void
        var hasTurn = false

        init(ticket: UInt64, wake: @escaping () -> Void) {
            self.ticket = ticket
            self.wake = wake
        }
    }

    private let lock = Lock()
    private var line: WaitingLine
    private var waiters: [Waiter] = []

    init(maximumInUse: Int, maximumWaiting: Int) {
        line = WaitingLine(maximumInUse: maximumInUse, maximumWaiting: maximumWaiting)
    }

    /// Takes a turn, and blocks until there is one; `release` must follow.
    ///
    /// - Throws: `.deadline` or `.tooManyWaiting`.
    func acquire(until deadline: Deadline) throws(TransportFailure) {
        lock.lock()
        defer { lock.unlock() }
        switch line.acquire() {
        case .granted:
            return
        case .refused:
            throw .tooManyWaiting
        case .wait(let ticket):
            let signal = Signal()
            let waiter = Waiter(ticket: ticket) { signal.wake() }
            waiters.append(waiter)
            while !waiter.hasTurn {
                if signal.wait(lock, until: deadline) { continue }
                if waiter.hasTurn { break }
                _ = line.giveUp(ticket)
                remove(ticket)
                throw .deadline
            }
        }
    }

    /// Takes a turn if there is one; otherwise waits for it without blocking, however many wait already.
    ///
    /// - Parameter wake: is called once the turn has come, from any thread, with a lock held; `release` must follow.
    /// - Returns: nil with a turn; otherwise the ticket, for `giveUp`.
    func acquire(orWake wake: @escaping () -> Void) -> UInt64? {
        lock.lock()
        defer { lock.unlock() }
        guard let ticket = line.acquireOrWait() else { return nil }
        waiters.append(Waiter(ticket: ticket, wake: wake))
        return ticket
    }

    /// Does not wait any longer.
    ///
    /// - Returns: false when the turn has come already; `release` must follow then.
    @inline(never)
    func giveUp(_ ticket: UInt64) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard line.giveUp(ticket) else { return false }
        remove(ticket)
        return true
    }

    /// Gives a turn back.
    @inline(never)
    func release() {
        lock.lock()
        if let ticket = line.release(), let waiter = remove(ticket) {
            waiter.hasTurn = true
            waiter.wake()
        }
        lock.unlock()
    }

    @discardableResult
    @inline(never)
    private func remove(_ ticket: UInt64) -> Waiter? {
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiters.remove(at: index)
    }
}
