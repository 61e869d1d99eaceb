/// A UUID (RFC 9562 section 4), the form of every id that Hanko makes, by its value: upper and lower case are the same.
package struct UUIDValue: Equatable {
    private let high: UInt64
    private let low: UInt64

    /// Reads the form with dashes, the only one that Hanko writes; nil for everything else.
    package init?(_ text: ByteView) {
        guard text.count == 36, let start = text.start, text[8] == ASCII.minus, text[13] == ASCII.minus,
            text[18] == ASCII.minus, text[23] == ASCII.minus,
            // Eight digits at a time: each validation reads several of these.
            let first = Self.bits(ByteView.word(start)), let second = Self.bits(Self.halves(start + 9, start + 14)),
            let third = Self.bits(Self.halves(start + 19, start + 24)),
            let fourth = Self.bits(ByteView.word(start + 28))
        else { return nil }
        high = first << 32 | second
        low = third << 32 | fourth
    }

    /// Twice four bytes, the first one in the lowest bits.
    @inline(__always)
    private static func halves(_ first: UnsafePointer<UInt8>, _ second: UnsafePointer<UInt8>) -> UInt64 {
        let first = UInt32(littleEndian: UnsafeRawPointer(first).loadUnaligned(as: UInt32.self))
        let second = UInt32(littleEndian: UnsafeRawPointer(second).loadUnaligned(as: UInt32.self))
        return UInt64(first) | UInt64(second) << 32
    }

    /// The 32 bits that eight hexadecimal digits stand for, the first digit in the lowest byte of the word; nil when one
    /// of them is no digit.
    @inline(__always)
    private static func bits(_ digits: UInt64) -> UInt64? {
        let each: UInt64 = 0x0101_0101_0101_0101
        let isLetter = digits >> 6 & each
        let values = (digits & 0x0F0F_0F0F_0F0F_0F0F) &+ isLetter &* 9
        // What the values are written with must be what was read, but for the case of letters.
        let isAboveNine = (values &+ each &* 6) >> 4 & each
        let written = values &+ each &* 0x30 &+ isAboveNine &* 0x27
        guard values & 0xF0F0_F0F0_F0F0_F0F0 == 0, written == digits | isLetter << 5 else { return nil }
        let pairs = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs << 8 | pairs >> 16) & 0x0000_FFFF_0000_FFFF
        return (fours << 16 | fours >> 32) & 0xFFFF_FFFF
    }

    /// The UUID of zeros, which Hanko gives as the user of a token that names none.
    package var isNil: Bool { high == 0 && low == 0 }
}
