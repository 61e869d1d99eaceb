/// The handles of one client with their kept connections, for callers that block. The one used last is lent first, so
/// that few connections stay warm.
final class ExchangePool: @unchecked Sendable {
    private let configuration: Configuration
    private let url: APIURL
    private let process: ProcessResources
    private let limit: ConnectionLimit
    private let lock = Lock()
    private var idle: [Exchange] = []

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources, limit: ConnectionLimit) {
        self.configuration = configuration
        self.url = url
        self.process = process
        self.limit = limit
    }

    /// Lends a handle; `giveBack` must follow.
    ///
    /// - Throws: `.deadline`, `.tooManyWaiting`, or why no handle could be made.
    func borrow(until deadline: Deadline) throws(TransportFailure) -> Exchange {
        try limit.enter(until: deadline)
        lock.lock()
        let kept = idle.popLast()
        lock.unlock()
        if let kept { return kept }
        do {
            return try Exchange.make(
                configuration, url: url, process: process, connections: ConnectionTable(process.descriptors))
        } catch {
            limit.leave()
            throw error
        }
    }

    /// Takes a handle back, if there is one. One that may not be used again is destroyed, with its connection.
    func giveBack(_ lent: inout Exchange?) {
        let isKept = lent?.releaseConnection() ?? false
        lent?.erase()
        var kept = lent.take()
        guard kept != nil else { return }
        // The connection is closed before the next caller may open one.
        if !isKept { kept = nil }
        if let kept {
            lock.lock()
            idle.append(kept)
            lock.unlock()
        }
        limit.leave()
    }
}
