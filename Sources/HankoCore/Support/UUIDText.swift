/// UUIDs as text (RFC 9562 section 4), the form of every id that Hanko makes.
package enum UUIDText {
    package static func isUUID(_ text: ByteView) -> Bool {
        guard text.count == 36, text[8] == ASCII.minus, text[13] == ASCII.minus, text[18] == ASCII.minus,
            text[23] == ASCII.minus
        else { return false }
        return isHexadecimal(text, from: 0, to: 8) && isHexadecimal(text, from: 9, to: 13)
            && isHexadecimal(text, from: 14, to: 18) && isHexadecimal(text, from: 19, to: 23)
            && isHexadecimal(text, from: 24, to: 36)
    }

    private static func isHexadecimal(_ text: ByteView, from start: Int, to end: Int) -> Bool {
        var position = start
        while position < end {
            guard ASCII.isHexadecimal(text[position]) else { return false }
            position &+= 1
        }
        return true
    }

    /// The UUID of zeros, which Hanko gives as the user of a token that names none.
    package static func isNil(_ text: ByteView) -> Bool {
        text.equals(ByteView("00000000-0000-0000-0000-000000000000"))
    }
}
