import CCurl

/// The connections of a worker: those that are being opened, those under way, each with its submission, and those that
/// are kept.
struct QueueConnections {
    private struct Slot {
        var connection: Connection?
        /// The call that it is opened or used for.
        unowned(unsafe) var submission: Submission?
        /// How many connections had the place before: what was reported of one of those is not this one's.
        var generation: UInt64 = 0
        var isOpening = false
        /// The other side has closed it; what it sent before may still be there.
        var hasEnded = false
    }

    private let context: CallContext
    private let poller: SocketPoller
    private let openers: ConnectionOpeners
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var idle: [Connection] = []

    init(_ context: CallContext, _ poller: SocketPoller, _ openers: ConnectionOpeners) {
        self.context = context
        self.poller = poller
        self.openers = openers
    }

    // MARK: Taking and giving back

    /// Takes a kept connection that may serve a request, as far as can be said without looking at it; nil when there is
    /// none.
    @inline(never)
    mutating func acquire(for submission: Submission) -> Connection? {
        let now = Clock.monotonicNanoseconds()
        while let kept = idle.popLast() {
            if kept.mayServe(at: now) {
                slots[kept.slot].submission = submission
                return kept
            }
            close(kept)
        }
        return nil
    }

    /// Begins to open a connection.
    ///
    /// - Throws: why it cannot be begun.
    @inline(never)
    mutating func open(for submission: Submission) throws(TransportFailure) -> Connection {
        let connection = try Connection.make(context.settings)
        try connection.prepareOpening(until: submission.progress.deadline)
        guard openers.begin(connection) else { throw .localShortage }
        if freeSlots.isEmpty {
            freeSlots.append(slots.count)
            slots.append(Slot())
        }
        let slot = freeSlots.removeLast()
        connection.slot = slot
        slots[slot].connection = connection
        slots[slot].submission = submission
        slots[slot].isOpening = true
        return connection
    }

    /// The opening of a connection has ended.
    ///
    /// - Returns: for whom it was begun.
    @inline(never)
    mutating func opened(_ connection: Connection, _ code: CURLcode) throws(TransportFailure) {
        slots[connection.slot].isOpening = false
        try connection.opened(code)
        let number = slots[connection.slot].generation << 32 | UInt64(connection.slot)
        guard poller.add(connection.socket, number: number & ~(1 << 63)) else { throw .localShortage }
    }

    /// Keeps a connection that may serve again, unless the other side has closed it.
    mutating func release(_ connection: Connection) {
        guard !slots[connection.slot].hasEnded else { return close(connection) }
        slots[connection.slot].submission = nil
        idle.append(connection)
    }

    /// Closes a connection, which is not among the kept ones.
    ///
    /// - Parameter usesLibrary: false when the process exits: libcurl must not be touched any more.
    @inline(never)
    mutating func close(_ connection: Connection, usesLibrary: Bool = true) {
        let slot = connection.slot
        if connection.socket >= 0 { poller.remove(connection.socket) }
        if usesLibrary { openers.release(connection, isOpening: slots[slot].isOpening) }
        slots[slot].connection = nil
        slots[slot].submission = nil
        slots[slot].isOpening = false
        slots[slot].hasEnded = false
        slots[slot].generation = (slots[slot].generation &+ 1) & 0x3FFF_FFFF
        freeSlots.append(slot)
    }

    /// Closes all that are kept.
    mutating func closeIdle(usesLibrary: Bool = true) {
        while let kept = idle.popLast() { close(kept, usesLibrary: usesLibrary) }
    }

    // MARK: Events

    /// Whom a connection is opened or used for.
    func submission(of connection: Connection) -> Submission? { slots[connection.slot].submission }

    /// Something has come on a connection. One that is kept is closed where the other side has closed it: it may not be
    /// taken, and so not be looked at, for long.
    ///
    /// - Returns: the submission that it is used for, if it is used.
    mutating func submission(at number: UInt64, _ event: SocketPoller.Event) -> Submission? {
        let slot = Int(truncatingIfNeeded: number & 0xFFFF_FFFF)
        guard slot < slots.count, slots[slot].generation == number >> 32, !slots[slot].isOpening else { return nil }
        slots[slot].hasEnded = slots[slot].hasEnded || event.hasEnd
        if let submission = slots[slot].submission { return submission }
        if event.hasEnd, let index = idle.firstIndex(where: { $0.slot == slot }) {
            let ended = idle.remove(at: index)
            ended.lookForUnaskedBytes()
            context.tellOfUnaskedBytes(ended)
            close(ended)
        }
        return nil
    }

    /// All calls that have a connection, one after the other.
    var slotCount: Int { slots.count }

    func submission(inSlot slot: Int) -> Submission? { slots[slot].submission }
}
