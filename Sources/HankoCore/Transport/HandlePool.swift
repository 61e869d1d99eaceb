/// The handles of one client with their kept connections, for callers that block. The one used last is lent first, so
/// that few connections stay warm.
final class HandlePool: @unchecked Sendable {
    /// One caller that waits for its turn.
    private final class Waiter {
        let ticket: UInt64
        let signal = Signal()
        var hasTurn = false

        init(ticket: UInt64) { self.ticket = ticket }
    }

    private let configuration: Configuration
    private let url: APIURL
    private let process: ProcessResources
    private let lock = Lock()
    private var line: WaitingLine
    private var idle: [Exchange] = []
    private var waiters: [Waiter] = []

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources) {
        self.configuration = configuration
        self.url = url
        self.process = process
        line = WaitingLine(
            maximumInUse: Int(configuration.maximumConnections), maximumWaiting: Int(configuration.maximumWaiting))
    }

    /// Lends a handle; `giveBack` must follow.
    ///
    /// - Throws: `.deadline`, `.tooManyWaiting`, or why no handle could be made.
    func borrow(until deadline: Deadline) throws(TransportFailure) -> Exchange {
        lock.lock()
        switch line.enter() {
        case .granted:
            break
        case .refused:
            lock.unlock()
            throw .tooManyWaiting
        case .wait(let ticket):
            guard waitForTurn(ticket, until: deadline) else {
                lock.unlock()
                throw .deadline
            }
        }
        let kept = idle.popLast()
        lock.unlock()
        if let kept { return kept }
        do {
            return try Exchange.make(configuration, url: url, process: process)
        } catch {
            passTurnOn(keeping: nil)
            throw error
        }
    }

    /// Takes a handle back, if there is one. One that may not be used again is destroyed, with its connection.
    func giveBack(_ lent: inout Exchange?) {
        // The question comes first: it looks at what `erase` takes away.
        let isKept = lent?.keepConnection() ?? false
        lent?.erase()
        var kept = lent.take()
        guard kept != nil else { return }
        // The connection is closed before the next caller may open one.
        if !isKept { kept = nil }
        passTurnOn(keeping: kept)
    }

    /// Waits, with the lock held, until `release` has named the ticket or the deadline has passed.
    private func waitForTurn(_ ticket: UInt64, until deadline: Deadline) -> Bool {
        let waiter = Waiter(ticket: ticket)
        waiters.append(waiter)
        while !waiter.hasTurn {
            if waiter.signal.wait(lock, until: deadline) { continue }
            if waiter.hasTurn { break }
            _ = line.leave(ticket)
            remove(ticket)
            return false
        }
        return true
    }

    private func passTurnOn(keeping exchange: Exchange?) {
        lock.lock()
        if let exchange { idle.append(exchange) }
        if let ticket = line.release(), let waiter = remove(ticket) {
            waiter.hasTurn = true
            waiter.signal.wake()
        }
        lock.unlock()
    }

    @discardableResult
    private func remove(_ ticket: UInt64) -> Waiter? {
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiters.remove(at: index)
    }
}
