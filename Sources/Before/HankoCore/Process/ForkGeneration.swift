import CSystem
import Synchronization

/// Tells a forked child from its parent: a number that is higher in a child.
///
/// It is kept on a page that the kernel gives to a child zeroed (MADV_WIPEONFORK), so that asking costs no system call
/// and no way to fork is missed, handlers or not. Where the kernel cannot do that, it is the process id.
enum ForkGeneration {
    /// The last number that was given out, inherited by children.
    private static let generation = Atomic<UInt>(1)
    /// The address of the page; 0 before there is one, 1 where there can be none.
    private static let page = Atomic<UInt>(0)
    private static var noPage: UInt { 1 }

    /// The number of this process.
    static func current() -> UInt {
        let address = page.load(ordering: .acquiring)
        guard address > noPage, let memory = UnsafeMutableRawPointer(bitPattern: address) else {
            return address == noPage ? byProcessID() : first()
        }
        let mark = memory.assumingMemoryBound(to: Atomic<UInt>.self)
        let known = mark.pointee.load(ordering: .acquiring)
        if known != 0 { return known }
        // Several threads of a child may come here at once: each takes a number, and the first that is written down is
        // everybody's. Until then nobody has one, least of all the parent's.
        let next = generation.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        let (won, found) = mark.pointee.compareExchange(
            expected: 0, desired: next, ordering: .acquiringAndReleasing)
        return won ? next : found
    }

    private static func first() -> UInt {
        let memory = hanko_page_wiped_on_fork()
        memory?.bindMemory(to: Atomic<UInt>.self, capacity: 1)
            .initialize(to: Atomic(generation.load(ordering: .acquiring)))
        let (won, _) = page.compareExchange(
            expected: 0, desired: memory.map { UInt(bitPattern: $0) } ?? noPage, ordering: .acquiringAndReleasing)
        if !won, let memory { hanko_unmap_page(memory) }
        // Now there is a page, or there is known to be none.
        return current()
    }

    private static func byProcessID() -> UInt { UInt(truncatingIfNeeded: getpid()) }
}
