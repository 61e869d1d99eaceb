import Glibc

/// Threads that work at the same time.
struct Crew {
    private final class Job: @unchecked Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var threads: [pthread_t] = []

    /// Starts threads; each is given its number, from 0.
    ///
    /// - Returns: nil when there are not that many to be had.
    static func start(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Crew? {
        var crew = Crew()
        for number in 0..<count {
            let context = Unmanaged.passRetained(Job { body(number) })
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body() }
                    return nil
                }, context.toOpaque())
            guard code == 0 else {
                context.release()
                crew.wait()
                return nil
            }
            crew.threads.append(thread)
        }
        return crew
    }

    /// Waits until all are done.
    func wait() {
        for thread in threads { pthread_join(thread, nil) }
    }
}
