/// Submissions that wait for a moment, the earliest first: a binary heap in which each knows its place, so that one whose
/// rest ends early can be taken out.
struct RestingSubmissions {
    private var heap: [Unmanaged<Submission>] = []

    var first: Submission? { heap.first?.takeUnretainedValue() }

    mutating func insert(_ submission: Submission, until moment: Int64) {
        submission.restsUntil = moment
        submission.restIndex = heap.count
        heap.append(.passUnretained(submission))
        moveUp(heap.count &- 1)
    }

    mutating func remove(_ submission: Submission) {
        let index = submission.restIndex
        guard index >= 0, index < heap.count else { return }
        submission.restIndex = -1
        let last = heap.removeLast()
        guard index < heap.count else { return }
        place(last, at: index)
        moveUp(index)
        moveDown(last.takeUnretainedValue().restIndex)
    }

    /// Takes out those that a function says, in no order.
    mutating func takeAll(where isMeant: (Submission) -> Bool) -> SubmissionList {
        var taken = SubmissionList()
        var kept = 0
        for index in heap.indices {
            let submission = heap[index].takeUnretainedValue()
            if isMeant(submission) {
                submission.restIndex = -1
                taken.append(submission)
            } else {
                place(heap[index], at: kept)
                kept &+= 1
            }
        }
        heap.removeLast(heap.count &- kept)
        var index = kept / 2
        while index > 0 {
            index &-= 1
            moveDown(index)
        }
        return taken
    }

    private mutating func place(_ submission: Unmanaged<Submission>, at index: Int) {
        heap[index] = submission
        submission.takeUnretainedValue().restIndex = index
    }

    private mutating func moveUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index &- 1) / 2
            guard isEarlier(index, than: parent) else { return }
            swap(index, parent)
            index = parent
        }
    }

    private mutating func moveDown(_ start: Int) {
        var index = start
        while true {
            var earliest = index
            for child in [2 &* index &+ 1, 2 &* index &+ 2] where child < heap.count {
                if isEarlier(child, than: earliest) { earliest = child }
            }
            guard earliest != index else { return }
            swap(index, earliest)
            index = earliest
        }
    }

    private func isEarlier(_ one: Int, than other: Int) -> Bool {
        heap[one].takeUnretainedValue().restsUntil < heap[other].takeUnretainedValue().restsUntil
    }

    private mutating func swap(_ one: Int, _ other: Int) {
        let submission = heap[one]
        place(heap[other], at: one)
        place(submission, at: other)
    }
}
