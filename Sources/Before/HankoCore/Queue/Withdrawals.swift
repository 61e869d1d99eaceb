/// Submissions that are to be withdrawn. Each is in it once at a time and linked to the next, so that noting a hundred
/// thousand costs no memory; it is retained meanwhile.
struct Withdrawals {
    unowned(unsafe) private var first: Submission?
    unowned(unsafe) private var last: Submission?

    var isEmpty: Bool { first == nil }

    mutating func append(_ submission: Submission) {
        _ = Unmanaged.passRetained(submission)
        submission.nextWithdrawn = nil
        if let last { last.nextWithdrawn = submission } else { first = submission }
        last = submission
    }

    mutating func popFirst() -> Submission? {
        guard let taken = first else { return nil }
        first = taken.nextWithdrawn
        if first == nil { last = nil }
        return Unmanaged.passUnretained(taken).takeRetainedValue()
    }
}
