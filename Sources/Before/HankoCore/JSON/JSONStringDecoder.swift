/// Resolves the escapes of a `JSONString` (RFC 8259 section 7) and gives its UTF-8, one byte at a time, without
/// allocating.
package struct JSONStringDecoder {
    private let raw: ByteView
    private var position = 0
    /// Up to three further bytes of a character that was written as `\u`, the next one in the lowest byte.
    private var pending: UInt32 = 0
    private var pendingCount = 0
    package private(set) var sawLoneSurrogate = false

    package init(_ string: JSONString) { raw = string.raw }

    /// The next byte; nil after the last.
    package mutating func next() -> UInt8? {
        if pendingCount > 0 {
            let byte = UInt8(truncatingIfNeeded: pending)
            pending >>= 8
            pendingCount &-= 1
            return byte
        }
        guard position < raw.count else { return nil }
        let byte = raw[position]
        guard byte == ASCII.backslash else {
            position &+= 1
            return byte
        }
        let escape = raw[position &+ 1]
        position &+= 2
        switch escape {
        case 0x62: return 0x08  // b
        case 0x66: return 0x0C  // f
        case 0x6E: return ASCII.lineFeed  // n
        case 0x72: return ASCII.carriageReturn  // r
        case 0x74: return ASCII.tab  // t
        case 0x75: return encode(codePoint())  // u
        default: return escape  // quote, backslash, slash
        }
    }

    /// The code point whose four digits come next, together with the second half of a surrogate pair.
    private mutating func codePoint() -> UInt32 {
        let first = fourDigits(at: position)
        position &+= 4
        guard first >= 0xD800, first <= 0xDFFF else { return first }
        if first <= 0xDBFF, raw[position] == ASCII.backslash, raw[position &+ 1] == 0x75 {
            let second = fourDigits(at: position &+ 2)
            if second >= 0xDC00, second <= 0xDFFF {
                position &+= 6
                return 0x10000 &+ ((first &- 0xD800) << 10) &+ (second &- 0xDC00)
            }
        }
        sawLoneSurrogate = true
        return first
    }

    private func fourDigits(at start: Int) -> UInt32 {
        var value: UInt32 = 0
        var offset = 0
        while offset < 4 {
            value = value << 4 | (ASCII.hexadecimal(raw[start &+ offset]) ?? 0)
            offset &+= 1
        }
        return value
    }

    /// Returns the first byte of the code point's UTF-8 and keeps the others for the next calls.
    private mutating func encode(_ codePoint: UInt32) -> UInt8 {
        if codePoint < 0x80 { return UInt8(truncatingIfNeeded: codePoint) }
        let last = 0x80 | (codePoint & 0x3F)
        if codePoint < 0x800 {
            pending = last
            pendingCount = 1
            return UInt8(truncatingIfNeeded: 0xC0 | codePoint >> 6)
        }
        let third = 0x80 | (codePoint >> 6 & 0x3F)
        if codePoint < 0x10000 {
            pending = third | last << 8
            pendingCount = 2
            return UInt8(truncatingIfNeeded: 0xE0 | codePoint >> 12)
        }
        let second = 0x80 | (codePoint >> 12 & 0x3F)
        pending = second | third << 8 | last << 16
        pendingCount = 3
        return UInt8(truncatingIfNeeded: 0xF0 | codePoint >> 18)
    }
}
