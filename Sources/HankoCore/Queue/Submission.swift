/// One call that was handed to a completion queue, from there until its completion is drained.
///
/// It is retained once for all of that time, by hand: the lists, heaps and tables that it is in only point to it, so that
/// freeing a long one costs no stack. What the lock of its `Completions` guards says so; everything else belongs to the
/// worker.
final class Submission: @unchecked Sendable {
    enum Place {
        /// On its way to the worker.
        case arriving
        /// In line for a turn.
        case inLine
        /// It has a turn, and a connection that is being opened.
        case connecting(Connection)
        /// Its request is under way.
        case exchanging(Connection)
        /// It has a turn, and perhaps a connection on which nothing is under way. Only while the worker looks at it.
        case ready(Connection?)
        /// Until a moment.
        case resting
        /// Until another call has the key set.
        case joined(SharedConfirmationBoard.Waiter)
        /// Its completion is there or on its way.
        case ended(VerdictReason)
    }

    let tag: UInt64
    let completions: Completions
    private var tokens: SecretBuffer
    /// They refer to `tokens`; none once it has ended.
    private(set) var credentials: Credentials
    let tokenBytes: Int

    // MARK: Of the worker

    var progress: CallProgress
    var place = Place.arriving
    /// It was cancelled before it arrived.
    var isWithdrawn = false

    // MARK: Of the completion

    var session: Session?

    // MARK: Links

    /// It was noted that it is to be withdrawn, which is never taken back. Guarded by the lock of the worker's mailbox.
    var isToBeWithdrawn = false
    /// In the list of those.
    unowned(unsafe) var nextWithdrawn: Submission?

    /// In the one list that it is in.
    unowned(unsafe) var next: Submission?
    unowned(unsafe) var previous: Submission?

    /// In the one heap that it is in: the moment that it waits for, at most, and its relatives. The one before it is a
    /// sibling, or the parent of the first sibling.
    var moment: Int64 = 0
    unowned(unsafe) var firstChild: Submission?
    unowned(unsafe) var nextSibling: Submission?
    unowned(unsafe) var previousInHeap: Submission?

    /// With the same hash of the tag; under the lock of `completions`.
    unowned(unsafe) var nextOfHash: Submission?
    unowned(unsafe) var previousOfHash: Submission?

    /// Copies the candidates.
    ///
    /// - Returns: nil when there is no memory.
    static func make(
        _ credentials: Credentials, tag: UInt64, completions: Completions, progress: CallProgress
    ) -> Submission? {
        var tokens = SecretBuffer()
        guard let copies = credentials.copied(to: &tokens) else { return nil }
        return Submission(
            tokens: tokens, credentials: copies, tag: tag, completions: completions, progress: progress)
    }

    private init(
        tokens: consuming SecretBuffer, credentials: Credentials, tag: UInt64, completions: Completions,
        progress: CallProgress
    ) {
        tokenBytes = tokens.count
        self.tokens = tokens
        self.credentials = credentials
        self.tag = tag
        self.completions = completions
        self.progress = progress
    }

    /// The token that is to be asked about; nil where it is the key set.
    var tokenText: ByteView? { progress.currentCandidate.flatMap { credentials[$0]?.text } }

    /// Why it ended as it did.
    var reason: VerdictReason {
        if case .ended(let reason) = place { reason } else { .noToken }
    }

    /// Notes how it ended, and takes the tokens away.
    func end(_ reason: VerdictReason) {
        session = reason == .accepted ? progress.session : nil
        place = .ended(reason)
        credentials = .none
        tokens = SecretBuffer()
    }
}
