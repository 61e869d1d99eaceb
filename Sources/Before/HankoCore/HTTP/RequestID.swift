/// The number by which an answer is known to belong to its request: 128 random bits, sent as 32 hexadecimal digits in
/// the field `X-Request-Id`, which Hanko echoes.
package struct RequestID: Equatable {
    package static var length: Int { 32 }

    /// The digits in the order in which they are sent, eight in each word, the first in its lowest bits.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// - Parameters:
    ///   - high: 64 bits that nobody outside can foresee.
    ///   - low: 64 more.
    package init(high: UInt64, low: UInt64) {
        first = Self.digits(UInt32(truncatingIfNeeded: high >> 32))
        second = Self.digits(UInt32(truncatingIfNeeded: high))
        third = Self.digits(UInt32(truncatingIfNeeded: low >> 32))
        fourth = Self.digits(UInt32(truncatingIfNeeded: low))
    }

    /// Whether a value is this number as it was sent.
    @inline(__always)
    func equals(_ value: ByteView) -> Bool {
        guard value.count == Self.length, let start = value.start else { return false }
        return ByteView.word(start) == first && ByteView.word(start + 8) == second
            && ByteView.word(start + 16) == third && ByteView.word(start + 24) == fourth
    }

    /// Appends the digits; where there is no memory, the buffer has then overflowed or lacks them.
    ///
    /// - Returns: whether they were appended.
    func append(to buffer: inout SecretBuffer) -> Bool {
        buffer.append(count: Self.length) { memory in
            let words = UnsafeMutableRawPointer(memory)
            words.storeBytes(of: first.littleEndian, as: UInt64.self)
            (words + 8).storeBytes(of: second.littleEndian, as: UInt64.self)
            (words + 16).storeBytes(of: third.littleEndian, as: UInt64.self)
            (words + 24).storeBytes(of: fourth.littleEndian, as: UInt64.self)
            return true
        }
    }

    /// The eight digits of a number, the highest in the lowest byte.
    private static func digits(_ number: UInt32) -> UInt64 {
        // Each step parts the halves of what the one before left together; then each byte holds four bits.
        var spread = UInt64(number.byteSwapped)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread >> 4 & 0x000F_000F_000F_000F) | (spread & 0x000F_000F_000F_000F) << 8
        // Ten and more are letters, which begin 39 behind the digits.
        let isLetter = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
    }
}
