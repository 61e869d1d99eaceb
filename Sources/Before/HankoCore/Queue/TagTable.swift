import CSystem

/// Finds submissions by their tag, of which there may be several of one value. It costs no memory for each: those of one
/// hash are linked with each other.
struct TagTable: ~Copyable {
    /// The first submission of each hash. Not Swift's memory, which must not lack: this may be a mebibyte.
    private var buckets: UnsafeMutablePointer<Unmanaged<Submission>?>?
    private var bucketCount = 0
    private(set) var count = 0

    init() {}

    deinit { free(buckets) }

    /// - Returns: false when there is no memory.
    mutating func insert(_ submission: Submission) -> Bool {
        // A table that cannot grow finds as much as a larger one, only not as fast.
        guard count < bucketCount || grow() || bucketCount > 0 else { return false }
        link(submission)
        count &+= 1
        return true
    }

    mutating func remove(_ submission: Submission) {
        if let previous = submission.previousOfHash {
            previous.nextOfHash = submission.nextOfHash
        } else {
            guard let buckets else { return }
            buckets[index(of: submission.tag)] = submission.nextOfHash.map { .passUnretained($0) }
        }
        submission.nextOfHash?.previousOfHash = submission.previousOfHash
        submission.nextOfHash = nil
        submission.previousOfHash = nil
        count &-= 1
    }

    /// Calls a function with each submission of a tag.
    func forEach(_ tag: UInt64, _ body: (Submission) -> Void) {
        guard let buckets else { return }
        var next = buckets[index(of: tag)]?.takeUnretainedValue()
        while let submission = next {
            next = submission.nextOfHash
            if submission.tag == tag { body(submission) }
        }
    }

    private mutating func link(_ submission: Submission) {
        guard let buckets else { return }
        let index = index(of: submission.tag)
        let first = buckets[index]?.takeUnretainedValue()
        submission.previousOfHash = nil
        submission.nextOfHash = first
        first?.previousOfHash = submission
        buckets[index] = .passUnretained(submission)
    }

    /// Fibonacci hashing: the upper bits of the product, because tags are often addresses or consecutive numbers.
    private func index(of tag: UInt64) -> Int {
        guard bucketCount > 1 else { return 0 }
        let product = tag &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> UInt64(64 &- bucketCount.trailingZeroBitCount))
    }

    /// The number of buckets is a power of two.
    private mutating func grow() -> Bool {
        let oldCount = bucketCount
        let larger = max(64, oldCount &* 2)
        guard let memory = malloc(larger &* MemoryLayout<Unmanaged<Submission>?>.stride) else { return false }
        let old = buckets
        let fresh = memory.bindMemory(to: Unmanaged<Submission>?.self, capacity: larger)
        fresh.initialize(repeating: nil, count: larger)
        buckets = fresh
        bucketCount = larger
        guard let old else { return true }
        var bucket = 0
        while bucket < oldCount {
            var next = old[bucket]?.takeUnretainedValue()
            while let submission = next {
                next = submission.nextOfHash
                link(submission)
            }
            bucket &+= 1
        }
        free(old)
        return true
    }
}
