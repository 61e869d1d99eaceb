/// Sessions that their owners are done with, on their way back to the worker that made them.
///
/// Memory that one thread allocates and another frees has both wait for the allocator's lock, again and again where one
/// makes sessions as fast as the other is done with them. So the worker frees them itself, as long as it is awake;
/// one that is given back may stay for a round of the worker.
final class ReturnedSessions: SessionOrigin, @unchecked Sendable {
    private let generation: UInt
    private let lock = Lock()
    private unowned(unsafe) var first: Session?
    private var isWorkerAwake = false

    /// - Parameter generation: of the process that the worker runs in.
    init(generation: UInt = ForkGeneration.current()) { self.generation = generation }

    func takeBack(_ session: Session) -> Bool {
        // A child has no worker, and somebody may have held the lock when it was forked.
        guard generation == ForkGeneration.current() else { return false }
        lock.lock()
        defer { lock.unlock() }
        guard isWorkerAwake else { return false }
        session.nextReturned = first
        first = session
        return true
    }

    /// Frees what has come back. For the worker only.
    ///
    /// - Parameter staysAwake: whether more may come back, because the worker will call this again before it waits for
    ///   something to do.
    func free(staysAwake: Bool) {
        lock.lock()
        isWorkerAwake = staysAwake
        var next = first
        first = nil
        lock.unlock()
        while let session = next {
            next = session.nextReturned
            Unmanaged.passUnretained(session).release()
        }
    }
}
