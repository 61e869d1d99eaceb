/// Base64 with the alphabet for URLs and without padding, as in compact tokens (RFC 7515 section 2).
package enum Base64URL {
    /// Decodes a text.
    ///
    /// - Parameters:
    ///   - text: the encoded text.
    ///   - buffer: is appended to; the content may be secret.
    /// - Returns: false when the text is not such a text, or when there is no memory.
    package static func decode(_ text: ByteView, into buffer: inout SecretBuffer) -> Bool {
        guard text.count % 4 != 1, buffer.reserve(buffer.count &+ text.count / 4 &* 3 &+ 3) else { return false }
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        var position = 0
        while position < text.count {
            guard let value = value(of: text[position]) else { return false }
            bits = bits << 6 | value
            bitCount &+= 6
            if bitCount >= 8 {
                bitCount &-= 8
                buffer.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
            position &+= 1
        }
        return true
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte &- 0x41)
        case 0x61...0x7A: UInt32(byte &- 0x61 &+ 26)
        case 0x30...0x39: UInt32(byte &- 0x30 &+ 52)
        case ASCII.minus: 62
        case ASCII.underscore: 63
        default: nil
        }
    }
}
