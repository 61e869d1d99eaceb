import CSystem

/// Bytes that may hold a token: memory of our own, outside of Swift's, overwritten with zeros when they are done with.
///
/// Swift may copy an array at any time and leave the old copy behind; this memory has one owner and never moves with
/// anything in it that is not overwritten first. It does not grow by itself: `append` beyond the capacity is ignored and
/// marks the buffer as overflowed.
package struct SecretBuffer: ~Copyable {
    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    package private(set) var count = 0
    package private(set) var hasOverflowed = false

    package init() {}

    deinit {
        guard let memory else { return }
        explicit_bzero(memory, capacity)
        free(memory)
    }

    /// Gives the bytes to a function; the view must not leave it.
    package borrowing func withView<Result, Failure>(
        _ body: (ByteView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(ByteView(memory, count: count))
    }

    /// Makes room for `total` bytes and keeps what is there.
    ///
    /// - Returns: false when there is no memory; the buffer is then as it was.
    package mutating func reserve(_ total: Int) -> Bool {
        if total <= capacity { return true }
        // Far beyond every limit; doubling must not overflow.
        guard total <= 1 << 40 else { return false }
        var larger = max(1024, capacity)
        while larger < total { larger = larger &* 2 }
        guard let fresh = malloc(larger)?.assumingMemoryBound(to: UInt8.self) else { return false }
        if let memory {
            memcpy(fresh, memory, count)
            explicit_bzero(memory, capacity)
            free(memory)
        }
        memory = fresh
        capacity = larger
        return true
    }

    package mutating func append(_ byte: UInt8) {
        guard let memory, count < capacity else {
            hasOverflowed = true
            return
        }
        memory[count] = byte
        count &+= 1
    }

    package mutating func append(_ bytes: ByteView) {
        guard let start = bytes.start, bytes.count > 0 else { return }
        guard let memory, bytes.count <= capacity &- count else {
            hasOverflowed = true
            return
        }
        memcpy(memory + count, start, bytes.count)
        count &+= bytes.count
    }

    /// Makes room for bytes and lets a function write them.
    ///
    /// - Parameter write: is given the memory and must write all of it; answers whether the bytes are to stay.
    /// - Returns: false when they are not, or when there is no memory; nothing is then appended.
    @inline(__always)
    mutating func append(count added: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Bool) -> Bool {
        guard added >= 0, reserve(count &+ added), let memory else { return false }
        guard write(memory + count) else {
            // `erase` would not reach it.
            explicit_bzero(memory + count, added)
            return false
        }
        count &+= added
        return true
    }

    /// Overwrites what was written with zeros and empties the buffer. A buffer that a large token has grown gives its
    /// memory back, so that one such token does not stay with a kept connection for good.
    package mutating func erase() {
        hasOverflowed = false
        guard let memory else { return }
        explicit_bzero(memory, count)
        count = 0
        if capacity > 65_536 {
            free(memory)
            self.memory = nil
            capacity = 0
        }
    }
}
