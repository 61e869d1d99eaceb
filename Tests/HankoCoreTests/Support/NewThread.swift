import Glibc

/// Runs a function on a thread of its own and waits for its result.
///
/// - Returns: nil when there is no thread to be had.
func onNewThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
    let work = Work { body() }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(work)
    let code = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<RunnableWork>.fromOpaque(context).takeUnretainedValue().run()
            return nil
        }, context.toOpaque())
    guard code == 0 else {
        context.release()
        return nil
    }
    pthread_join(thread, nil)
    context.release()
    return work.result
}

private class RunnableWork: @unchecked Sendable {
    func run() {}
}

private final class Work<Result: Sendable>: RunnableWork, @unchecked Sendable {
    private let body: @Sendable () -> Result
    // Written by the new thread before it ends, read by the other after it has joined.
    private(set) var result: Result?

    init(_ body: @escaping @Sendable () -> Result) { self.body = body }

    override func run() { result = body() }
}
