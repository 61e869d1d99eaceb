/// What other threads leave for a worker's thread to carry out.
struct WorkerNotes {
    var arrived = SubmissionList()
    var cancelled = Withdrawals()
    /// Those for which another call has asked for the key set.
    var confirmed: [Submission] = []
    /// Queues that were closed: all their submissions are withdrawn.
    var closed: [Completions] = []
    /// The place in line for a connection has become a turn.
    var hasTurn = false
    var isStopping = false

    var isEmpty: Bool {
        arrived.isEmpty && cancelled.isEmpty && confirmed.isEmpty && closed.isEmpty && !hasTurn && !isStopping
    }

    /// Keeps the memory, because there is much coming and going.
    mutating func removeAll() {
        _ = arrived.takeAll()
        while cancelled.popFirst() != nil {}
        confirmed.removeAll(keepingCapacity: true)
        closed.removeAll(keepingCapacity: true)
        hasTurn = false
        isStopping = false
    }
}
