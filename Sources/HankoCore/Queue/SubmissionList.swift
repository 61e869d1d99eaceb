/// A list of submissions that costs no memory of its own: each links to its neighbours, and is in one list at a time.
struct SubmissionList {
    unowned(unsafe) private(set) var first: Submission?
    unowned(unsafe) private(set) var last: Submission?

    var isEmpty: Bool { first == nil }

    mutating func append(_ submission: Submission) {
        submission.previous = last
        submission.next = nil
        if let last { last.next = submission } else { first = submission }
        last = submission
    }

    mutating func remove(_ submission: Submission) {
        if let previous = submission.previous { previous.next = submission.next } else { first = submission.next }
        if let next = submission.next { next.previous = submission.previous } else { last = submission.previous }
        submission.next = nil
        submission.previous = nil
    }

    mutating func popFirst() -> Submission? {
        guard let first else { return nil }
        remove(first)
        return first
    }

    /// Moves all of another list to the end of this one.
    mutating func append(contentsOf other: inout SubmissionList) {
        guard let otherFirst = other.first else { return }
        otherFirst.previous = last
        if let last { last.next = otherFirst } else { first = otherFirst }
        last = other.last
        other.first = nil
        other.last = nil
    }

    /// Takes all.
    mutating func takeAll() -> SubmissionList {
        let all = self
        first = nil
        last = nil
        return all
    }
}
