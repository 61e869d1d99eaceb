import CSystem

/// Memory of a size that is known beforehand, in which texts stand one behind the other. It does not move, so that C
/// programs may hold on to them.
struct TextMemory: ~Copyable {
    private let memory: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private(set) var count = 0
    /// Something did not fit.
    private(set) var hasOverflowed = false

    /// - Returns: nil when there is no memory.
    init?(capacity: Int) {
        guard let memory = malloc(max(1, capacity)) else { return nil }
        self.memory = memory.assumingMemoryBound(to: UInt8.self)
        self.capacity = capacity
    }

    deinit { free(memory) }

    /// All that was written. The memory must be there as long as the view is used.
    var written: ByteView { ByteView(memory, count: count) }

    /// The text that begins at a position, as a C string.
    func cString(at position: Int) -> UnsafePointer<CChar>? {
        guard position >= 0, position < count else { return nil }
        return UnsafeRawPointer(memory + position).assumingMemoryBound(to: CChar.self)
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        guard count < capacity else {
            hasOverflowed = true
            return
        }
        memory[count] = byte
        count &+= 1
    }

    mutating func append(_ bytes: ByteView) {
        guard let start = bytes.start, bytes.count > 0 else { return }
        guard bytes.count <= capacity &- count else {
            hasOverflowed = true
            return
        }
        memcpy(memory + count, start, bytes.count)
        count &+= bytes.count
    }

    // MARK: Numbers

    mutating func appendNumber(_ number: UInt32) {
        guard capacity &- count >= 4 else {
            hasOverflowed = true
            return
        }
        count &+= 4
        setNumber(number, at: count &- 4)
    }

    mutating func setNumber(_ number: UInt32, at position: Int) {
        guard position >= 0, position <= count &- 4 else { return }
        UnsafeMutableRawPointer(memory + position).storeBytes(of: number, as: UInt32.self)
    }

    /// A number that was appended; 0 outside of what was written.
    func number(at position: Int) -> UInt32 {
        guard position >= 0, position <= count &- 4 else { return 0 }
        return UnsafeRawPointer(memory + position).loadUnaligned(as: UInt32.self)
    }
}
