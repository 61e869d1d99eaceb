/// White space as Go's `bytes.TrimSpace` cuts it, which Hanko does to a token before it reads it.
enum WhiteSpace {
    /// - Parameter text: is valid UTF-8.
    static func trimmed(_ text: ByteView) -> ByteView {
        var lower = 0
        var upper = text.count
        while lower < upper {
            let length = UTF8Text.sequenceLength(in: text, at: lower)
            guard length > 0, isWhiteSpace(text.slice(from: lower, to: lower &+ length)) else { break }
            lower &+= length
        }
        while upper > lower {
            // No character that is white space takes more than three bytes.
            var start = upper &- 1
            while start > lower, start > upper &- 3, text[start] & 0xC0 == 0x80 { start &-= 1 }
            guard isWhiteSpace(text.slice(from: start, to: upper)) else { break }
            upper = start
        }
        return text.slice(from: lower, to: upper)
    }

    /// Unicode's property White_Space, which is Go's `unicode.IsSpace`.
    private static func isWhiteSpace(_ character: ByteView) -> Bool {
        switch (character.count, character[0], character[1]) {
        case (1, 0x09...0x0D, _), (1, 0x20, _): return true  // tab to carriage return, blank
        case (2, 0xC2, 0x85), (2, 0xC2, 0xA0): return true  // U+0085, U+00A0
        case (3, 0xE1, 0x9A): return character[2] == 0x80  // U+1680
        case (3, 0xE2, 0x80):  // U+2000 to U+200A, U+2028, U+2029, U+202F
            switch character[2] {
            case 0x80...0x8A, 0xA8, 0xA9, 0xAF: return true
            default: return false
            }
        case (3, 0xE2, 0x81): return character[2] == 0x9F  // U+205F
        case (3, 0xE3, 0x80): return character[2] == 0x80  // U+3000
        default: return false
        }
    }
}
