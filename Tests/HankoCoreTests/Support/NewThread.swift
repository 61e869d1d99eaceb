import CSystem
import Glibc

/// Runs a function on a thread of its own and waits for its result.
///
/// - Parameter stackSize: in bytes; nil for the usual one.
/// - Returns: nil when there is no such thread to be had.
func onNewThread<Result: Sendable>(stackSize: Int? = nil, _ body: @escaping @Sendable () -> Result) -> Result? {
    let work = Work { body() }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return nil }
    defer { pthread_attr_destroy(&attributes) }
    if let stackSize, pthread_attr_setstacksize(&attributes, stackSize) != 0 { return nil }
    let context = Unmanaged.passRetained(work)
    let code = pthread_create(
        &thread, &attributes,
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
