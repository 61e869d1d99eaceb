/// The kept connections of one client, for callers that block. The one used last is taken first, so that few stay warm.
final class ConnectionPool: Sendable {
    private let idle = Locked<[Connection]>([])

    /// Takes a connection that may serve a request, as far as can be said without looking at it; nil when there is none.
    func acquire() -> Connection? {
        let now = Clock.monotonicNanoseconds()
        while let kept = idle.with({ $0.popLast() }) {
            if kept.mayServe(at: now) { return kept }
            // It was idle for too long, and is closed here.
        }
        return nil
    }

    /// Keeps a connection that may serve again.
    func release(_ connection: Connection) { idle.with { $0.append(connection) } }
}
