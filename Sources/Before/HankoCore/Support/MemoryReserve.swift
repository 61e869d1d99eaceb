import CSystem
import Synchronization

/// Memory that is set aside while there is some, for the calls that are under way when there is none any more: what
/// Swift's runtime allocates for them comes from here, because it ends the process where it gets nothing.
///
/// Allocators are called by anybody at any time, so nothing here waits for a lock or allocates.
enum MemoryReserve {
    /// The chunk that was set aside last. Chunks stay for good: what is in one of them may live as long as the process.
    private static let newest = Atomic<UInt>(0)
    /// All chunks lie between these two; hardly anything else does.
    private static let lowest = Atomic<UInt>(.max)
    private static let highest = Atomic<UInt>(0)

    private static let state = Atomic<Int>(nothingYet)
    private static var nothingYet: Int { 0 }
    private static var whole: Int { 1 }
    private static var drawnOn: Int { 2 }

    /// How much of a chunk must be free for new calls to begin: the rest may be in what somebody keeps, such as a
    /// session or a table that has grown.
    private static var enoughBlocks: Int { ReserveChunk.blockCount / 2 }
    /// What must be there besides, in one piece, for calls to begin again.
    private static var enoughMemory: Int { 65_536 }

    /// The reserve is there and nobody has had to draw on it.
    @inline(__always)
    static var isWhole: Bool { state.load(ordering: .relaxed) == whole }

    /// Sets the reserve aside before anything else is done in this process, so that not even the first call lacks it.
    @inline(__always)
    static func prepare() {
        if newest.load(ordering: .relaxed) == 0 { _ = setAside() }
    }

    /// Sets the reserve aside, or sees whether memory is back after it was drawn on.
    ///
    /// - Returns: whether it is whole again. Where much of it is still in use there is another chunk.
    @inline(never)
    static func restore() -> Bool {
        let known = state.load(ordering: .acquiring)
        guard hanko_has_memory(enoughMemory) != 0, hasEnough || setAside() else { return false }
        _ = state.compareExchange(expected: known, desired: whole, ordering: .acquiringAndReleasing)
        return true
    }

    private static var hasEnough: Bool {
        var found = false
        forEachChunk { chunk in
            found = chunk.freeBlockCount >= enoughBlocks
            return !found
        }
        return found
    }

    /// - Returns: false when there is no memory for a chunk.
    @inline(never)
    private static func setAside() -> Bool {
        let known = newest.load(ordering: .acquiring)
        guard let memory = hanko_map_memory(ReserveChunk.size) else { return false }
        let chunk = ReserveChunk(memory)
        let address = UInt(bitPattern: memory)
        widen(lowest, to: address) { $0 < $1 }
        widen(highest, to: address &+ UInt(ReserveChunk.size)) { $0 > $1 }
        chunk.previous = known
        let (won, _) = newest.compareExchange(expected: known, desired: address, ordering: .acquiringAndReleasing)
        // Otherwise another thread has set one aside meanwhile; nobody has seen this one.
        if !won { munmap(memory, ReserveChunk.size) }
        return true
    }

    /// Not the `min` and `max` of Atomic, which in Swift 6.3 compare unsigned numbers as signed ones.
    private static func widen(_ bound: borrowing Atomic<UInt>, to address: UInt, where isBeyond: (UInt, UInt) -> Bool) {
        var known = bound.load(ordering: .relaxed)
        while isBeyond(address, known) {
            let (won, other) = bound.compareExchange(expected: known, desired: address, ordering: .relaxed)
            if won { return }
            known = other
        }
    }

    /// - Parameter body: answers whether to go on.
    private static func forEachChunk(_ body: (ReserveChunk) -> Bool) {
        var next = newest.load(ordering: .acquiring)
        while let memory = UnsafeMutableRawPointer(bitPattern: next) {
            let chunk = ReserveChunk(memory)
            guard body(chunk) else { return }
            next = chunk.previous
        }
    }

    // MARK: For the runtime

    /// Notes that memory is short, and serves what could not be had.
    ///
    /// - Returns: nil when this is too much for the reserve as well.
    @inline(never)
    static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        state.store(drawnOn, ordering: .releasing)
        var found: UnsafeMutableRawPointer?
        forEachChunk { chunk in
            found = chunk.allocate(size)
            return found == nil
        }
        return found
    }

    /// Whether a pointer may be the reserve's; `free` finds out.
    @inline(__always)
    static func mayHold(_ pointer: UnsafeMutableRawPointer?) -> Bool {
        let address = UInt(bitPattern: pointer)
        return address >= lowest.load(ordering: .relaxed) && address < highest.load(ordering: .relaxed)
    }

    /// - Returns: false when the pointer is not the reserve's.
    @inline(never)
    static func free(_ pointer: UnsafeMutableRawPointer) -> Bool {
        var isOurs = false
        forEachChunk { chunk in
            isOurs = chunk.contains(pointer)
            if isOurs { chunk.free(pointer) }
            return !isOurs
        }
        return isOurs
    }
}
