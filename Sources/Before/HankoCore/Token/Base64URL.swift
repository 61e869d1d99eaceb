/// Base64 with the alphabet for URLs and without padding, as in compact tokens (RFC 7515 section 2).
///
/// Bytes have one text and no other: a last letter whose unused bits are not zero, which RFC 4648 section 3.5 lets a
/// reader refuse, is refused.
package enum Base64URL {
    /// Whether a text is such a text.
    package static func isValid(_ text: ByteView) -> Bool {
        guard text.count % 4 != 1 else { return false }
        guard let letters = text.start else { return true }
        var position = 0
        while text.count &- position >= 32 {
            guard isLetterBlock(letters + position) else { return false }
            position &+= 32
        }
        var all = isLetter
        while position < text.count {
            all &= digit(letters[position])
            position &+= 1
        }
        return all == isLetter && lastLetterIsWhole(text)
    }

    /// Whether all of 32 bytes are letters. A loop without branches and truth values, of which the compiler makes
    /// instructions for 16 bytes at a time.
    @inline(__always)
    private static func isLetterBlock(_ start: UnsafePointer<UInt8>) -> Bool {
        var others: UInt8 = 0
        var index = 0
        while index < 32 {
            let byte = start[index]
            // Each is 0 for the bytes that it is named after.
            let alphabetic = max((byte | 0x20) &- 0x61, 25) ^ 25
            let decimal = max(byte &- 0x30, 9) ^ 9
            others |= min(min(alphabetic, decimal), min(byte ^ 0x2D, byte ^ 0x5F))
            index &+= 1
        }
        return others == 0
    }

    /// Whether the bits of the last letter that stand for nothing are zero.
    private static func lastLetterIsWhole(_ text: ByteView) -> Bool {
        switch text.count % 4 {
        case 2: digit(text[text.count &- 1]) & 0b1111 == 0
        case 3: digit(text[text.count &- 1]) & 0b11 == 0
        default: true
        }
    }

    package enum Failure: Error {
        /// The text is not such a text.
        case notBase64URL
        case noMemory
    }

    /// Decodes a text.
    ///
    /// - Parameters:
    ///   - text: the encoded text.
    ///   - buffer: is appended to; the content may be secret.
    /// - Throws: why nothing was appended.
    package static func decode(_ text: ByteView, into buffer: inout SecretBuffer) throws(Failure) {
        let surplus = text.count % 4
        guard surplus != 1 else { throw .notBase64URL }
        let length = text.count / 4 &* 3 &+ max(0, surplus &- 1)
        if length == 0 { return }
        guard buffer.reserve(buffer.count &+ length) else { throw .noMemory }
        guard buffer.append(count: length, { decode(text, to: $0) }) else { throw .notBase64URL }
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
        return all == isLetter && lastLetterIsWhole(text)
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
