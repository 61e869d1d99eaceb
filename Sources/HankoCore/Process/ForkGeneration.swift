import CSystem
import Synchronization

/// Tells a forked child from its parent: a number that is one higher in a child.
///
/// It rests on a page that the kernel gives to a child zeroed (MADV_WIPEONFORK), so that asking costs no system call and
/// no way to fork is missed, handlers or not. Where the kernel cannot do that, the process id is compared.
enum ForkGeneration {
    private static let generation = Atomic<UInt>(1)
    /// The address of the page; 0 before there is one, 1 where there can be none.
    private static let page = Atomic<UInt>(0)
    private static let processID = Atomic<Int>(0)
    private static var noPage: UInt { 1 }

    /// The number of this process.
    static func current() -> UInt {
        let address = page.load(ordering: .acquiring)
        guard address > noPage, let memory = UnsafeMutableRawPointer(bitPattern: address) else {
            return address == noPage ? byProcessID() : first()
        }
        let mark = memory.assumingMemoryBound(to: Atomic<UInt>.self)
        if mark.pointee.load(ordering: .acquiring) == 0 {
            let (isFirst, _) = mark.pointee.compareExchange(
                expected: 0, desired: 1, ordering: .acquiringAndReleasing)
            if isFirst { generation.add(1, ordering: .acquiringAndReleasing) }
        }
        return generation.load(ordering: .acquiring)
    }

    private static func first() -> UInt {
        let memory = hanko_page_wiped_on_fork()
        memory?.bindMemory(to: Atomic<UInt>.self, capacity: 1).initialize(to: Atomic(1))
        processID.store(Int(getpid()), ordering: .releasing)
        let (won, _) = page.compareExchange(
            expected: 0, desired: memory.map { UInt(bitPattern: $0) } ?? noPage, ordering: .acquiringAndReleasing)
        if !won, let memory { hanko_unmap_page(memory) }
        return generation.load(ordering: .acquiring)
    }

    private static func byProcessID() -> UInt {
        let process = Int(getpid())
        let known = processID.load(ordering: .acquiring)
        if known != process {
            let (won, _) = processID.compareExchange(
                expected: known, desired: process, ordering: .acquiringAndReleasing)
            if won { generation.add(1, ordering: .acquiringAndReleasing) }
        }
        return generation.load(ordering: .acquiring)
    }
}
