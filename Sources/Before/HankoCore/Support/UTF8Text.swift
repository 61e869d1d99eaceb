/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
package enum UTF8Text {
    /// How many bytes the sequence at a position takes: 1 to 4, or 0 when it is not UTF-8.
    package static func sequenceLength(in bytes: ByteView, at position: Int) -> Int {
        let first = bytes[position]
        if first < 0x80 { return position >= 0 && position < bytes.count ? 1 : 0 }
        let second = bytes[position &+ 1]
        switch first {
        case 0xC2...0xDF:
            return isContinuation(second) ? 2 : 0
        case 0xE0...0xEF:
            // The bounds of the second byte keep out overlong forms (E0) and surrogates (ED).
            let lowest: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let highest: UInt8 = first == 0xED ? 0x9F : 0xBF
            guard second >= lowest, second <= highest else { return 0 }
            return isContinuation(bytes[position &+ 2]) ? 3 : 0
        case 0xF0...0xF4:
            // Likewise overlong forms (F0) and code points beyond U+10FFFF (F4).
            let lowest: UInt8 = first == 0xF0 ? 0x90 : 0x80
            let highest: UInt8 = first == 0xF4 ? 0x8F : 0xBF
            guard second >= lowest, second <= highest else { return 0 }
            return isContinuation(bytes[position &+ 2]) && isContinuation(bytes[position &+ 3]) ? 4 : 0
        default:
            return 0
        }
    }

    package static func isValid(_ bytes: ByteView) -> Bool {
        var position = bytes.asciiRun(from: 0)
        while position < bytes.count {
            if bytes[position] < 0x80 {
                position &+= 1
                continue
            }
            let length = sequenceLength(in: bytes, at: position)
            if length == 0 { return false }
            position &+= length
        }
        return true
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
