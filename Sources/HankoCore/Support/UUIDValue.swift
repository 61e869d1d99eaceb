/// A UUID (RFC 9562 section 4), the form of every id that Hanko makes, by its value: upper and lower case are the same.
package struct UUIDValue: Equatable {
    private let high: UInt64
    private let low: UInt64

    /// Reads the form with dashes, the only one that Hanko writes; nil for everything else.
    package init?(_ text: ByteView) {
        guard text.count == 36, text[8] == ASCII.minus, text[13] == ASCII.minus, text[18] == ASCII.minus,
            text[23] == ASCII.minus,
            let first = Self.bits(text, from: 0, to: 8), let second = Self.bits(text, from: 9, to: 13),
            let third = Self.bits(text, from: 14, to: 18), let fourth = Self.bits(text, from: 19, to: 23),
            let fifth = Self.bits(text, from: 24, to: 36)
        else { return nil }
        high = first << 32 | second << 16 | third
        low = fourth << 48 | fifth
    }

    private static func bits(_ text: ByteView, from start: Int, to end: Int) -> UInt64? {
        var bits: UInt64 = 0
        var position = start
        while position < end {
            guard let digit = ASCII.hexadecimal(text[position]) else { return nil }
            bits = bits << 4 | UInt64(digit)
            position &+= 1
        }
        return bits
    }

    /// The UUID of zeros, which Hanko gives as the user of a token that names none.
    package var isNil: Bool { high == 0 && low == 0 }
}
