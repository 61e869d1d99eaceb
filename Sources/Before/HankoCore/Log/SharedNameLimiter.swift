/// Lets one line pass for each name in a process, so that a client that is made again and again says nothing twice.
package final class SharedNameLimiter: @unchecked Sendable {
    private let lock = Lock()
    private var seen: [UInt64] = []

    /// After so many names no other passes.
    private static var capacity: Int { 64 }

    package init() {}

    /// Whether a line about a name may be written: the first time it is asked.
    package func admit(_ name: [UInt8]) -> Bool {
        // FNV-1a, in place of the names.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        lock.lock()
        defer { lock.unlock() }
        guard seen.count < Self.capacity, !seen.contains(hash) else { return false }
        seen.append(hash)
        return true
    }
}
