import CSystem

/// What came of the submissions of one queue, until somebody takes it: the part of a queue that its owner and the worker
/// share.
final class Completions: @unchecked Sendable {
    static var maximumCount: Int { 100_000 }
    static var maximumTokenBytes: Int { 67_108_864 }

    private let lock = Lock()
    private let descriptors: DescriptorRegistry
    /// Readable exactly while completions wait; -1 after `close`.
    private var event: Int32
    private var isSignalled = false
    private var waiting = SubmissionList()
    /// Those that were submitted and not drained yet.
    private var count = 0
    /// Of those that have not ended yet.
    private var tokenBytes = 0
    private var tags = TagTable()

    // MARK: Of the worker

    /// What ended in this round of the worker and is not published yet.
    var ended = SubmissionList()

    /// - Returns: nil when there is no descriptor to be had.
    static func make(_ descriptors: DescriptorRegistry) -> Completions? {
        let event = descriptors.openEvent(isWakeUp: false)
        return event >= 0 ? Completions(descriptors, event) : nil
    }

    private init(_ descriptors: DescriptorRegistry, _ event: Int32) {
        self.descriptors = descriptors
        self.event = event
    }

    /// The descriptor to poll. It is written by the owner of the queue only, who may also read it.
    var descriptor: Int32 { event }

    // MARK: For the owner

    /// Takes a submission in. It is retained until it is drained or dropped.
    ///
    /// - Throws: `.queueFull` or `.localShortage`.
    func admit(_ submission: Submission) throws(TransportFailure) {
        lock.lock()
        defer { lock.unlock() }
        guard count < Self.maximumCount, submission.tokenBytes <= Self.maximumTokenBytes &- tokenBytes else {
            throw .queueFull
        }
        guard tags.insert(submission) else { throw .localShortage }
        count &+= 1
        tokenBytes &+= submission.tokenBytes
        _ = Unmanaged.passRetained(submission)
    }

    /// Calls a function with each submission of a tag that has not ended yet, with the lock held.
    func forEachSubmission(of tag: UInt64, _ body: (Submission) -> Void) {
        lock.lock()
        defer { lock.unlock() }
        tags.forEach(tag, body)
    }

    /// Takes up to `maximum` completions, oldest first, and calls a function with each. No lock is held meanwhile.
    ///
    /// - Returns: how many there were.
    func drain(_ maximum: Int, _ body: (Submission) -> Void) -> Int {
        var taken = SubmissionList()
        var takenCount = 0
        lock.lock()
        while takenCount < maximum, let submission = waiting.popFirst() {
            taken.append(submission)
            takenCount &+= 1
        }
        count &-= takenCount
        signal()
        lock.unlock()
        while let submission = taken.popFirst() {
            body(submission)
            Unmanaged.passUnretained(submission).release()
        }
        return takenCount
    }

    /// Nobody will drain any more: drops what is there, and later what comes.
    func close() {
        lock.lock()
        var dropped = waiting.takeAll()
        let closed = event
        event = -1
        lock.unlock()
        if closed >= 0 { descriptors.close(closed) }
        Self.drop(&dropped)
    }

    /// In a child that was forked: its copy of the descriptor is one with the parent's, so it is closed and nothing else.
    func closeInChild() {
        if event >= 0 { descriptors.closeInChild(event) }
    }

    // MARK: For the worker

    /// Publishes what ended.
    func publish() {
        var published = ended.takeAll()
        lock.lock()
        var next = published.first
        while let submission = next {
            next = submission.next
            tags.remove(submission)
            // Under the lock, so that who sees it counted finds it, and who finds it sees it counted.
            submission.progress.countEnd(submission.reason)
            tokenBytes &-= submission.tokenBytes
        }
        if event >= 0 {
            waiting.append(contentsOf: &published)
            signal()
        }
        lock.unlock()
        Self.drop(&published)
    }

    /// Makes the descriptor tell whether completions wait.
    private func signal() {
        guard event >= 0, isSignalled == waiting.isEmpty else { return }
        isSignalled.toggle()
        if isSignalled { hanko_signal_event(event) } else { hanko_clear_event(event) }
    }

    private static func drop(_ list: inout SubmissionList) {
        while let submission = list.popFirst() { Unmanaged.passUnretained(submission).release() }
    }
}
