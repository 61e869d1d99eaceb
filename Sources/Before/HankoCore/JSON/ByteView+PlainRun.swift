/// The parts of a JSON string that stand for themselves, found many bytes at a time.
extension ByteView {
    /// How many bytes from a position on stand for themselves in a JSON string: all ASCII but control characters,
    /// quotes and backslashes.
    @inline(__always)
    package func plainRun(from position: Int) -> Int {
        // Most strings of an answer are shorter than two words; the others are worth a call.
        guard let start, position >= 0, count &- position >= 16 else { return longPlainRun(from: position) }
        let first = Self.special(in: Self.word(start + position))
        if first != 0 { return first.trailingZeroBitCount / 8 }
        let second = Self.special(in: Self.word(start + position + 8))
        if second != 0 { return 8 &+ second.trailingZeroBitCount / 8 }
        return 16 &+ longPlainRun(from: position &+ 16)
    }

    /// The bytes of `plainRun`.
    @inline(__always)
    package func plainText(from position: Int) -> ByteView {
        let run = plainRun(from: position)
        // Nothing needs to be cut: a run ends where the view ends, and has no bytes where it begins outside.
        guard let start, run > 0 else { return .empty }
        return ByteView(start + position, count: run)
    }

    @inline(never)
    private func longPlainRun(from position: Int) -> Int {
        guard let start, position >= 0, position < count else { return 0 }
        var end = position
        // Where something special begins, the words find out.
        while count &- end >= 64, Self.isPlainBlock(start + end) { end &+= 64 }
        while count &- end >= 16 {
            let first = Self.special(in: Self.word(start + end))
            let second = Self.special(in: Self.word(start + end + 8))
            if first | second != 0 {
                let isInFirst = first != 0
                return end &- position &+ (isInFirst ? first : second).trailingZeroBitCount / 8 &+ (isInFirst ? 0 : 8)
            }
            end &+= 16
        }
        while end < count, Self.special(in: UInt64(start[end]) | 0x2020_2020_2020_2000) == 0 { end &+= 1 }
        return end &- position
    }

    /// Whether all of 64 bytes stand for themselves in a JSON string. A loop without branches, of which the compiler makes
    /// instructions for 16 bytes at a time.
    @inline(__always)
    private static func isPlainBlock(_ start: UnsafePointer<UInt8>) -> Bool {
        var special: UInt8 = 0
        var index = 0
        while index < 64 {
            // As a signed number a control character is below the blank, and so is all beyond ASCII.
            let byte = Int8(bitPattern: start[index])
            special |= (byte < 0x20 ? 1 : 0) | (byte == 0x22 ? 1 : 0) | (byte == 0x5C ? 1 : 0)
            index &+= 1
        }
        return special == 0
    }

    /// Marks the bytes of a word that do not stand for themselves in a JSON string with their highest bit; none above
    /// the lowest that is marked counts.
    @inline(__always)
    private static func special(in word: UInt64) -> UInt64 {
        // A subtraction that borrows sets the highest bit. With 0x20 and 0x22 changed for each other, control characters
        // and the quote are what is below 0x21. A borrow reaches the bytes above, and only those.
        let controlOrQuote = (word ^ 0x0202_0202_0202_0202) &- 0x2121_2121_2121_2121
        let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        return (controlOrQuote | backslash | word) & 0x8080_8080_8080_8080
    }
}
