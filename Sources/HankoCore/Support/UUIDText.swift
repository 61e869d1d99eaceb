/// UUIDs as text (RFC 9562 section 4), the form of every id that Hanko makes.
package enum UUIDText {
    package static func isUUID(_ text: ByteView) -> Bool {
        guard text.count == 36 else { return false }
        var position = 0
        while position < 36 {
            switch position {
            case 8, 13, 18, 23:
                guard text[position] == ASCII.minus else { return false }
            default:
                guard ASCII.hexadecimal(text[position]) != nil else { return false }
            }
            position &+= 1
        }
        return true
    }

    /// The UUID of zeros, which Hanko gives as the user of a token that names none.
    package static func isNil(_ text: ByteView) -> Bool {
        text.equals(ByteView("00000000-0000-0000-0000-000000000000"))
    }
}
