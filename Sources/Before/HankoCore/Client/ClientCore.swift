/// What a client has in one process: what its calls share, and the background thread once a queue needs one. It is kept
/// by the client and by its queues.
final class ClientCore: ProcessOwned, @unchecked Sendable {
    let generation: UInt
    let context: CallContext
    private let lock = Lock()
    private var worker: QueueWorker?

    init(_ context: CallContext, generation: UInt) {
        self.generation = generation
        self.context = context
    }

    deinit { worker?.stop() }

    /// The background thread, started when it is first needed.
    ///
    /// - Throws: when memory, descriptors or threads are lacking.
    func queueWorker() throws(ClientError) -> QueueWorker {
        lock.lock()
        defer { lock.unlock() }
        if let worker { return worker }
        guard let fresh = QueueWorker.make(context) else { throw ClientError.resourceShortage }
        worker = fresh
        return fresh
    }
}
