import Synchronization

/// One piece of a memory reserve, handed out in runs of blocks, without a lock: a forked child must not find one that is
/// held by a thread it does not have, and may find blocks that nobody gives back.
///
/// It lies in memory of its own, zeroed at first: a head, a bit for each block that is in use, the length of the run
/// that begins at each block, and the blocks themselves.
package struct ReserveChunk {
    /// What it takes of memory: 4 KiB for each of the 64 calls that a client has under way by default. In bursts of a
    /// thousand failures, 200 threads or a queue of 20,000 submissions drew 9 KiB at most.
    package static var size: Int { 262_144 }
    /// Swift's runtime wants no alignment beyond it, and the smallest objects have not much less.
    package static var blockSize: Int { 64 }
    package static var blockCount: Int { wordCount &* 64 }

    /// Each has the bits of 64 blocks.
    private static var wordCount: Int { 61 }
    private static var wordsStart: Int { 64 }
    private static var lengthsStart: Int { wordsStart &+ wordCount &* 8 }
    /// Behind the lengths, and on a multiple of the block's size.
    private static var blocksStart: Int { (lengthsStart &+ blockCount &* 2 &+ 63) & ~63 }

    private let memory: UnsafeMutableRawPointer

    /// - Parameter memory: `size` bytes, on a multiple of the block's size, zeroed or a chunk already.
    package init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The address of the chunk that was set aside before this one; 0: none. Written before anybody else sees this one.
    var previous: UInt {
        get { memory.load(as: UInt.self) }
        nonmutating set { memory.storeBytes(of: newValue, as: UInt.self) }
    }

    private var used: UnsafeMutablePointer<Atomic<Int>> { (memory + 8).assumingMemoryBound(to: Atomic<Int>.self) }
    private var words: UnsafeMutablePointer<Atomic<UInt64>> {
        (memory + Self.wordsStart).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private var lengths: UnsafeMutablePointer<UInt16> {
        (memory + Self.lengthsStart).assumingMemoryBound(to: UInt16.self)
    }
    private var blocks: UnsafeMutableRawPointer { memory + Self.blocksStart }

    package var freeBlockCount: Int { Self.blockCount &- used.pointee.load(ordering: .relaxed) }

    package func contains(_ pointer: UnsafeMutableRawPointer) -> Bool {
        pointer >= blocks && pointer < blocks + Self.blockCount &* Self.blockSize
    }

    // MARK: Taking and giving back

    /// - Returns: nil when there is no run of blocks that is long enough.
    package func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size <= Self.blockCount &* Self.blockSize else { return nil }
        let count = max(1, (max(0, size) &+ Self.blockSize &- 1) / Self.blockSize)
        return count <= 64 ? allocateWithinWord(count) : allocateWords((count &+ 63) / 64)
    }

    /// - Parameter pointer: what `allocate` gave.
    package func free(_ pointer: UnsafeMutableRawPointer) {
        guard contains(pointer) else { return }
        let block = (pointer - blocks) / Self.blockSize
        let count = Int(lengths[block])
        let word = block / 64
        if count <= 64 {
            let bits = Self.run(of: count) << UInt64(block % 64)
            words[word].bitwiseAnd(~bits, ordering: .acquiringAndReleasing)
            used.pointee.wrappingSubtract(count, ordering: .relaxed)
        } else {
            release(from: word, to: word &+ count / 64)
        }
    }

    private func allocateWithinWord(_ count: Int) -> UnsafeMutableRawPointer? {
        var word = 0
        while word < Self.wordCount {
            let known = words[word].load(ordering: .relaxed)
            let starts = Self.starts(of: count, in: ~known)
            guard starts != 0 else {
                word &+= 1
                continue
            }
            let first = starts.trailingZeroBitCount
            let bits = Self.run(of: count) << UInt64(first)
            let (won, _) = words[word].compareExchange(
                expected: known, desired: known | bits, ordering: .acquiringAndReleasing)
            // Otherwise somebody else has changed the word: look at it again.
            if won { return taken(block: word &* 64 &+ first, count) }
        }
        return nil
    }

    /// Whole words: what is longer than one is rare, and is given a little more than it needs.
    private func allocateWords(_ count: Int) -> UnsafeMutableRawPointer? {
        var first = 0
        var next = 0
        while next < Self.wordCount {
            let (won, _) = words[next].compareExchange(
                expected: 0, desired: .max, ordering: .acquiringAndReleasing)
            next &+= 1
            if won {
                used.pointee.wrappingAdd(64, ordering: .relaxed)
                if next &- first == count {
                    lengths[first &* 64] = UInt16(truncatingIfNeeded: count &* 64)
                    return blocks + first &* 64 &* Self.blockSize
                }
            } else {
                release(from: first, to: next &- 1)
                first = next
            }
        }
        release(from: first, to: next)
        return nil
    }

    private func taken(block: Int, _ count: Int) -> UnsafeMutableRawPointer {
        used.pointee.wrappingAdd(count, ordering: .relaxed)
        lengths[block] = UInt16(truncatingIfNeeded: count)
        return blocks + block &* Self.blockSize
    }

    private func release(from first: Int, to end: Int) {
        var word = first
        while word < end {
            words[word].store(0, ordering: .releasing)
            word &+= 1
        }
        used.pointee.wrappingSubtract(max(0, end &- first) &* 64, ordering: .relaxed)
    }

    /// So many bits, the lowest ones.
    private static func run(of count: Int) -> UInt64 { count >= 64 ? .max : (1 << UInt64(count)) &- 1 }

    /// Where runs of so many set bits begin.
    private static func starts(of count: Int, in bits: UInt64) -> UInt64 {
        var starts = bits
        var length = 1
        while length < count, starts != 0 {
            // Twice as long with each step, and in the end just as long as is wanted.
            let step = min(length, count &- length)
            starts &= starts >> UInt64(step)
            length &+= step
        }
        return starts
    }
}
