/// Submissions that wait for a moment each, the earliest first: a pairing heap. It costs no memory of its own, because
/// each submission links to others. Putting one in takes O(1), taking one out O(log n) on average.
struct SubmissionHeap {
    unowned(unsafe) private(set) var first: Submission?

    /// Puts one in.
    @inline(never)
    mutating func insert(_ submission: Submission, until moment: Int64) {
        submission.moment = moment
        submission.firstChild = nil
        submission.nextSibling = nil
        submission.previousInHeap = nil
        first = Self.merge(first, submission)
    }

    /// Takes one out that is in it.
    @inline(never)
    mutating func remove(_ submission: Submission) {
        let children = Self.mergeAll(submission.firstChild)
        submission.firstChild = nil
        guard first !== submission else {
            first = children
            return
        }
        if let before = submission.previousInHeap {
            if before.firstChild === submission {
                before.firstChild = submission.nextSibling
            } else {
                before.nextSibling = submission.nextSibling
            }
        }
        submission.nextSibling?.previousInHeap = submission.previousInHeap
        submission.nextSibling = nil
        submission.previousInHeap = nil
        first = Self.merge(first, children)
    }

    /// Takes all out, in no order.
    mutating func takeAll() -> SubmissionList {
        var taken = SubmissionList()
        if let first { taken.append(first) }
        first = nil
        // Those in the list are looked at one after the other, and bring their children with them.
        var next = taken.first
        while let submission = next {
            var child = submission.firstChild
            while let found = child {
                child = found.nextSibling
                found.nextSibling = nil
                found.previousInHeap = nil
                taken.append(found)
            }
            submission.firstChild = nil
            next = submission.next
        }
        return taken
    }

    /// Makes one heap of two, each of which is a submission without siblings.
    private static func merge(_ one: Submission?, _ other: Submission?) -> Submission? {
        guard let one else { return other }
        guard let other else { return one }
        let (earlier, later) = other.moment < one.moment ? (other, one) : (one, other)
        later.nextSibling = earlier.firstChild
        later.nextSibling?.previousInHeap = later
        later.previousInHeap = earlier
        earlier.firstChild = later
        earlier.nextSibling = nil
        earlier.previousInHeap = nil
        return earlier
    }

    /// Makes one heap of siblings: in pairs from the first to the last, and then all pairs from the last to the first.
    @inline(never)
    private static func mergeAll(_ siblings: Submission?) -> Submission? {
        unowned(unsafe) var rest = siblings
        unowned(unsafe) var pairs: Submission?
        while let one = rest {
            let other = one.nextSibling
            rest = other?.nextSibling
            unlink(one)
            if let other { unlink(other) }
            guard let pair = merge(one, other) else { break }
            pair.nextSibling = pairs
            pairs = pair
        }
        unowned(unsafe) var merged: Submission?
        while let pair = pairs {
            pairs = pair.nextSibling
            unlink(pair)
            merged = merge(merged, pair)
        }
        return merged
    }

    private static func unlink(_ submission: Submission) {
        submission.nextSibling = nil
        submission.previousInHeap = nil
    }
}
