/// Finds submissions by their tag, of which there may be several of one value. It costs no memory for each: those of one
/// hash are linked with each other.
struct TagTable {
    /// The first submission of each hash.
    private var buckets: [Unmanaged<Submission>?] = []
    private(set) var count = 0

    mutating func insert(_ submission: Submission) {
        if count >= buckets.count { grow() }
        link(submission)
        count &+= 1
    }

    mutating func remove(_ submission: Submission) {
        if let previous = submission.previousOfHash {
            previous.nextOfHash = submission.nextOfHash
        } else {
            let index = index(of: submission.tag)
            guard index < buckets.count else { return }
            buckets[index] = submission.nextOfHash.map { .passUnretained($0) }
        }
        submission.nextOfHash?.previousOfHash = submission.previousOfHash
        submission.nextOfHash = nil
        submission.previousOfHash = nil
        count &-= 1
    }

    /// Calls a function with each submission of a tag.
    func forEach(_ tag: UInt64, _ body: (Submission) -> Void) {
        let index = index(of: tag)
        guard index < buckets.count else { return }
        var next = buckets[index]?.takeUnretainedValue()
        while let submission = next {
            next = submission.nextOfHash
            if submission.tag == tag { body(submission) }
        }
    }

    private mutating func link(_ submission: Submission) {
        let index = index(of: submission.tag)
        guard index < buckets.count else { return }
        let first = buckets[index]?.takeUnretainedValue()
        submission.previousOfHash = nil
        submission.nextOfHash = first
        first?.previousOfHash = submission
        buckets[index] = .passUnretained(submission)
    }

    /// Fibonacci hashing: the upper bits of the product, because tags are often addresses or consecutive numbers.
    private func index(of tag: UInt64) -> Int {
        guard buckets.count > 1 else { return 0 }
        let product = tag &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> UInt64(64 &- buckets.count.trailingZeroBitCount))
    }

    /// The number of buckets is a power of two.
    private mutating func grow() {
        let old = buckets
        buckets = [Unmanaged<Submission>?](repeating: nil, count: max(64, old.count &* 2))
        for bucket in old {
            var next = bucket?.takeUnretainedValue()
            while let submission = next {
                next = submission.nextOfHash
                link(submission)
            }
        }
    }
}
