/// Where other threads leave notes for a worker's thread, which is woken for them if it sleeps.
final class WorkerMailbox: @unchecked Sendable {
    private let lock = Lock()
    private var notes = WorkerNotes()
    private var isAsleep = false
    private let loop: TransferLoop

    /// - Parameter loop: where the thread sleeps.
    init(waking loop: TransferLoop) { self.loop = loop }

    // MARK: For other threads

    /// - Parameter change: adds a note; it is called with the lock held.
    @inline(__always)
    func leave(_ change: (inout WorkerNotes) -> Void) {
        lock.lock()
        change(&notes)
        let wakes = isAsleep && !notes.isEmpty
        if wakes { isAsleep = false }
        lock.unlock()
        if wakes { loop.wake() }
    }

    // MARK: For the worker's thread

    /// Takes all notes.
    ///
    /// - Parameter taken: empty; has the notes afterwards. Its memory serves for the next ones.
    func take(_ taken: inout WorkerNotes) {
        lock.lock()
        isAsleep = false
        swap(&notes, &taken)
        lock.unlock()
    }

    /// Says that the thread is about to sleep.
    ///
    /// - Returns: false where there are notes, so that it must not.
    func fallAsleep() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        isAsleep = notes.isEmpty
        return isAsleep
    }
}
