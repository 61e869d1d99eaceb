/// The lines of a head (RFC 9112 sections 2.2 and 5), looked at eight bytes at a time.
extension ByteView {
    /// The position of the first NUL, line feed or carriage return at or after a position; `count` where there is none.
    ///
    /// The end of a line and what may not stand in one are found in one go.
    @inline(__always)
    func lineStop(from first: Int) -> Int {
        guard let start, first >= 0 else { return count }
        var position = first
        while position < count {
            if count &- position >= 8 {
                let word = Self.word(start + position)
                // A subtraction that borrows sets the highest bit, for bytes below 0x0E; a borrow reaches only bytes
                // above.
                let low = (word &- 0x0E0E_0E0E_0E0E_0E0E) & ~word & 0x8080_8080_8080_8080
                if low == 0 {
                    position &+= 8
                    continue
                }
                position &+= low.trailingZeroBitCount / 8
            }
            switch start[position] {
            case 0, ASCII.lineFeed, ASCII.carriageReturn: return position
            default: position &+= 1
            }
        }
        return count
    }

    /// The position of the colon behind the name of a field; nil where what stands before it is no token (RFC 9110
    /// section 5.6.2): where it is empty, or has blanks in it, before it or behind it.
    @inline(__always)
    func colonBehindToken() -> Int? {
        guard let start else { return nil }
        var position = 0
        while position < count {
            if count &- position >= 8 {
                let other = Self.neitherLetterNorMinus(in: Self.word(start + position))
                if other == 0 {
                    position &+= 8
                    continue
                }
                position &+= other.trailingZeroBitCount / 8
            }
            let byte = start[position]
            if byte == ASCII.colon { return position > 0 ? position : nil }
            guard ASCII.isTokenByte(byte) else { return nil }
            position &+= 1
        }
        return nil
    }

    /// Whether the name of a field, which is a token, is this one, without regard to case.
    ///
    /// - Parameter name: letters in lower case and minus signs, at least eight, and as many as the view has.
    @inline(__always)
    func isFieldName(_ name: StaticString) -> Bool {
        let length = name.utf8CodeUnitCount
        guard let start, count == length, length >= 8 else { return false }
        // No other byte of a token becomes one of the name's with this bit.
        let caseBits: UInt64 = 0x2020_2020_2020_2020
        var position = 0
        while position < length {
            // The last word overlaps the one before.
            let place = min(position, length &- 8)
            guard Self.word(start + place) | caseBits == Self.word(name.utf8Start + place) else { return false }
            position &+= 8
        }
        return true
    }

    /// Marks the bytes of a word that are neither letters nor minus signs with their highest bit.
    @inline(__always)
    private static func neitherLetterNorMinus(in word: UInt64) -> UInt64 {
        let highest: UInt64 = 0x8080_8080_8080_8080
        let ascii = word & ~highest
        let lower = ascii | 0x2020_2020_2020_2020
        // Seven bits and what is added never carry into the next byte.
        let letters = (lower &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(lower &+ 0x0505_0505_0505_0505)
        let notMinus = (ascii ^ 0x2D2D_2D2D_2D2D_2D2D) &+ 0x7F7F_7F7F_7F7F_7F7F
        return (word | ~letters & notMinus) & highest
    }
}
