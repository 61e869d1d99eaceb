import CSystem
import Synchronization

/// Room for one pointer that a forked child finds empty.
///
/// The pointer lies in a page that the kernel gives to a child zeroed (MADV_WIPEONFORK), so that telling a child from
/// its parent costs no system call, and no handler can be missed. Where the kernel cannot do that, the process id is
/// compared at each access.
final class ForkSlot: @unchecked Sendable {
    private let cell: UnsafeMutablePointer<Atomic<UInt>>
    private let owner: UnsafeMutablePointer<Atomic<Int>>
    private let isWipedOnFork: Bool

    init() {
        let page = hanko_page_wiped_on_fork()
        isWipedOnFork = page != nil
        // Two words of memory are never given back: the slot lives as long as the process.
        let memory = page ?? UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
        cell = memory.bindMemory(to: Atomic<UInt>.self, capacity: 1)
        cell.initialize(to: Atomic(0))
        owner = (memory + 8).bindMemory(to: Atomic<Int>.self, capacity: 1)
        owner.initialize(to: Atomic(Int(getpid())))
    }

    var value: UnsafeMutableRawPointer? {
        if !isWipedOnFork { forgetInherited() }
        return UnsafeMutableRawPointer(bitPattern: cell.pointee.load(ordering: .acquiring))
    }

    /// Puts a pointer in.
    ///
    /// - Returns: the pointer that is in afterwards; another one where another thread was faster.
    func setIfEmpty(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        let (_, found) = cell.pointee.compareExchange(
            expected: 0, desired: UInt(bitPattern: pointer), ordering: .acquiringAndReleasing)
        return UnsafeMutableRawPointer(bitPattern: found) ?? pointer
    }

    private func forgetInherited() {
        let process = Int(getpid())
        let known = owner.pointee.load(ordering: .acquiring)
        guard known != process else { return }
        // The child has one thread right after the fork; whoever wins the exchange empties the cell.
        let (won, _) = owner.pointee.compareExchange(
            expected: known, desired: process, ordering: .acquiringAndReleasing)
        if won { cell.pointee.store(0, ordering: .releasing) }
    }
}
