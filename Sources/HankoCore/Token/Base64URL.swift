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
        var invalid: UInt32 = 0
        var position = 0
        var next = output
        while text.count &- position >= 4 {
            let first = value(of: letters[position])
            let second = value(of: letters[position &+ 1])
            let third = value(of: letters[position &+ 2])
            let fourth = value(of: letters[position &+ 3])
            // Looked at once, at the end: only what somebody made up has other letters.
            invalid |= first | second | third | fourth
            let bits = first << 18 | second << 12 | third << 6 | fourth
            next[0] = UInt8(truncatingIfNeeded: bits >> 16)
            next[1] = UInt8(truncatingIfNeeded: bits >> 8)
            next[2] = UInt8(truncatingIfNeeded: bits)
            next += 3
            position &+= 4
        }
        if position < text.count {
            let first = value(of: text[position])
            let second = value(of: text[position &+ 1])
            invalid |= first | second
            next[0] = UInt8(truncatingIfNeeded: first << 2 | second >> 4)
            if text.count &- position == 3 {
                let third = value(of: text[position &+ 2])
                invalid |= third
                next[1] = UInt8(truncatingIfNeeded: second << 4 | third >> 2)
            }
        }
        return invalid < 64
    }

    /// What a letter stands for; more than 63 for a byte that is none.
    @inline(__always)
    private static func value(of byte: UInt8) -> UInt32 {
        UInt32(values.utf8Start[Int(byte)] &- ASCII.zero)
    }

    /// For each of the 256 bytes the letter that stands as many places behind `0` as the byte's value is; `~`, which is
    /// more than 63 behind it, for all that have none. A text and not an array, because it lies ready in the library.
    @inline(__always)
    private static var values: StaticString {
        """
        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~n~~defghijklm~~~~~~\
        ~0123456789:;<=>?@ABCDEFGHI~~~~o~JKLMNOPQRSTUVWXYZ[\\]^_`abc~~~~~\
        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\
        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        """
    }
}
