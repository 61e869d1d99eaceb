/// One call that was handed to a completion queue, from there until its completion is drained.
///
/// It is retained once for all of that time, by hand: the lists and tables that it is in only point to it, so that
/// freeing a long one costs no stack. What the lock of its `Completions` guards says so;
/// everything else belongs to the worker.
final class Submission: @unchecked Sendable {
    enum Place {
        /// On its way to the worker.
        case arriving
        /// In line for a connection.
        case waiting
        /// Until a moment, or until another call has the key set.
        case resting
        case underWay
        /// Its completion is there or on its way.
        case ended
    }

    /// What it needs a connection for.
    enum Need {
        case candidate(Int)
        case keySet
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
    var need = Need.candidate(0)
    var exchange: Exchange?
    /// The request for the key set that others may wait for, as well.
    var flight: UInt64?
    var waiter: SharedConfirmationBoard.Waiter?
    /// Its rest is not before a retry, but before it asks again for a confirmation.
    var confirmsAgain = false
    /// When its rest is over.
    var restsUntil: Int64 = 0
    var restIndex = -1

    // MARK: Of the completion

    private(set) var reason = VerdictReason.noToken
    var session: Session?

    // MARK: Links

    /// It was noted that it is to be withdrawn, which is never taken back. Guarded by the lock of the worker's mailbox.
    var isToBeWithdrawn = false
    /// In the list of those.
    unowned(unsafe) var nextWithdrawn: Submission?

    /// In the one list that it is in.
    unowned(unsafe) var next: Submission?
    unowned(unsafe) var previous: Submission?
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

    /// Notes how it ended, and takes the tokens away.
    func end(_ reason: VerdictReason) {
        self.reason = reason
        session = reason == .accepted ? progress.session : nil
        place = .ended
        credentials = .none
        tokens = SecretBuffer()
    }
}
