import CCurl

/// The `ConnectionOpener`s of one thread. libcurl searches all connections of a multi handle for each piece that is sent
/// or received: with a thousand in one handle that is most of the work, so many connections are divided among four.
final class ConnectionOpeners {
    private static var maximumCount: Int { 4 }
    /// So many connections are searched in no time.
    private static var enoughForOne: Int { 64 }

    private let poller: SocketPoller
    private let process: ProcessResources
    private var openers: [ConnectionOpener]

    /// - Returns: nil when memory or descriptors are lacking.
    static func make(_ poller: SocketPoller, _ process: ProcessResources) -> ConnectionOpeners? {
        guard let first = ConnectionOpener.make(poller, process, number: 0) else { return nil }
        return ConnectionOpeners(poller, process, first)
    }

    private init(_ poller: SocketPoller, _ process: ProcessResources, _ first: ConnectionOpener) {
        self.poller = poller
        self.process = process
        openers = [first]
    }

    /// Begins to open a connection, which must be prepared for that; `nextOpened` tells how that ended. `release` must
    /// follow.
    ///
    /// - Returns: false when there is no memory.
    @inline(never)
    func begin(_ connection: Connection) -> Bool {
        var chosen = 0
        for index in openers.indices where openers[index].heldCount < openers[chosen].heldCount { chosen = index }
        if openers[chosen].heldCount >= Self.enoughForOne, openers.count < Self.maximumCount,
            let another = ConnectionOpener.make(poller, process, number: openers.count)
        {
            chosen = openers.count
            openers.append(another)
        }
        connection.opener = chosen
        return openers[chosen].begin(connection)
    }

    /// Lets a connection go that was begun, whether it is open or not; libcurl closes it.
    func release(_ connection: Connection, isOpening: Bool) {
        openers[connection.opener].release(connection, isOpening: isOpening)
    }

    /// Lets libcurl do what can be done without waiting, for what a socket has that one of them watches.
    func work(_ event: SocketPoller.Event, on socket: Int32, opener: Int) {
        guard opener < openers.count else { return }
        openers[opener].work(event, on: socket)
    }

    /// Likewise for their timers.
    @inline(never)
    func workForTimers() {
        for opener in openers { opener.workForTimer() }
    }

    /// The next connection that is open, or could not be opened; nil when there is none.
    @inline(never)
    func nextOpened() -> (Connection, CURLcode)? {
        for opener in openers {
            if let opened = opener.nextOpened() { return opened }
        }
        return nil
    }

    /// When `workForTimers` is to be called; nil: when an event comes.
    var nextMoment: Int64? {
        var next: Int64?
        for opener in openers {
            if let moment = opener.nextMoment { next = min(next ?? .max, moment) }
        }
        return next
    }

    /// One of them can do nothing more before all that it has is closed.
    var isBroken: Bool {
        for opener in openers where opener.isBroken { return true }
        return false
    }
}
