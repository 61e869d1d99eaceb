/// Base64 with the alphabet for URLs and without padding, as in compact tokens (RFC 7515 section 2).
package enum Base64URL {
    /// Decodes a text.
    ///
    /// - Parameters:
    ///   - text: the encoded text.
    ///   - buffer: is appended to; the content may be secret.
    /// - Returns: false when the text is not such a text, or when there is no memory.
    package static func decode(_ text: ByteView, into buffer: inout SecretBuffer) -> Bool {
        let surplus = text.count % 4
        guard surplus != 1 else { return false }
        let length = text.count / 4 &* 3 &+ max(0, surplus &- 1)
        if length == 0 { return true }
        return buffer.append(count: length) { decode(text, to: $0) }
    }

    /// - Parameter output: has room for as many bytes as the text stands for.
    private static func decode(_ text: ByteView, to output: UnsafeMutablePointer<UInt8>) -> Bool {
        guard let letters = text.start else { return false }
        var all = isLetter
        var position = 0
        var next = output
        // As long as a whole group follows, one byte more than a group has may be written: the next group goes over it.
        while text.count &- position >= 8 {
            let bits = group(letters + position, &all)
            UnsafeMutableRawPointer(next).storeBytes(of: (bits << 8).bigEndian, as: UInt32.self)
            next += 3
            position &+= 4
        }
        if text.count &- position >= 4 {
            let bits = group(letters + position, &all)
            next[0] = UInt8(truncatingIfNeeded: bits >> 16)
            next[1] = UInt8(truncatingIfNeeded: bits >> 8)
            next[2] = UInt8(truncatingIfNeeded: bits)
            next += 3
            position &+= 4
        }
        if position < text.count {
            let first = digit(text[position])
            let second = digit(text[position &+ 1])
            all &= first & second
            next[0] = UInt8(truncatingIfNeeded: first << 2 | (second & 63) >> 4)
            if text.count &- position == 3 {
                let third = digit(text[position &+ 2])
                all &= third
                next[1] = UInt8(truncatingIfNeeded: second << 4 | (third & 63) >> 2)
            }
        }
        return all == isLetter
    }

    /// The 24 bits of four letters.
    ///
    /// - Parameter all: loses its mark when one of them is no letter. It is looked at once, at the end: only what somebody
    ///   made up has other bytes.
    @inline(__always)
    private static func group(_ letters: UnsafePointer<UInt8>, _ all: inout UInt32) -> UInt32 {
        let first = digit(letters[0])
        let second = digit(letters[1])
        let third = digit(letters[2])
        let fourth = digit(letters[3])
        all &= first & second & third & fourth
        return first << 18 &+ second << 12 &+ third << 6 &+ fourth &- marks
    }

    /// Marks the digit of a byte that is a letter of the alphabet; the lower bits are its value.
    private static var isLetter: UInt32 { 64 }

    /// The marks of four digits that stand six bits apart.
    private static var marks: UInt32 { isLetter << 18 &+ isLetter << 12 &+ isLetter << 6 &+ isLetter }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt32 { UInt32(digits.utf8Start[Int(byte)]) }

    /// For each of the 256 bytes its digit as an ASCII character, a dot for those that are no letters. A text and not an
    /// array, because it lies ready in the library.
    @inline(__always)
    private static var digits: StaticString {
        """
        .............................................~..tuvwxyz{|}......\
        .@ABCDEFGHIJKLMNOPQRSTUVWXY....\u{7F}.Z[\\]^_`abcdefghijklmnopqrs.....\
        ................................................................\
        ................................................................
        """
    }
}
