/// The value of a Cookie header as Hanko reads it, by Go's `net/http` (`readCookies`): what Go drops, Hanko never sees. Of
/// more than 3,000 cookies, which no browser sends, Go reads none; here they are all looked at.
///
/// A name matches exactly. White space around a pair and after a name is cut off, that before a value is not; one pair of
/// quotes around a value is. A cookie whose value holds a quote, a backslash or a byte that is no printable ASCII is
/// dropped, the others are not.
package struct CookieHeader {
    private let header: ByteView
    private let name: ByteView
    private var position = 0

    /// - Parameter name: of the cookies whose values `next` gives.
    package init(_ header: ByteView, name: ByteView) {
        self.header = header
        self.name = name
    }

    /// The value of the next cookie of the name, in the order sent; nil when there is no more.
    @inline(never)
    package mutating func next() -> ByteView? {
        while position <= header.count {
            let end = header.firstPosition(of: ASCII.semicolon, from: position) ?? header.count
            let pair = Self.trimmed(header.slice(from: position, to: end))
            position = end &+ 1
            let equals = pair.firstPosition(of: ASCII.equals) ?? pair.count
            guard Self.trimmed(pair.slice(from: 0, to: equals)).equals(name) else { continue }
            let value = Self.withoutQuotes(pair.slice(from: equals &+ 1))
            if Self.isAllowed(value) { return value }
        }
        return nil
    }

    /// What Go's `textproto.TrimString` cuts: also line ends, which no server lets through.
    private static func trimmed(_ text: ByteView) -> ByteView {
        func isBlank(_ byte: UInt8) -> Bool {
            ASCII.isBlank(byte) || byte == ASCII.lineFeed || byte == ASCII.carriageReturn
        }
        var lower = 0
        var upper = text.count
        while lower < upper, isBlank(text[lower]) { lower &+= 1 }
        while upper > lower, isBlank(text[upper &- 1]) { upper &-= 1 }
        return text.slice(from: lower, to: upper)
    }

    private static func withoutQuotes(_ value: ByteView) -> ByteView {
        guard value.count >= 2, value[0] == ASCII.quote, value[value.count &- 1] == ASCII.quote else { return value }
        return value.slice(from: 1, to: value.count &- 1)
    }

    private static func isAllowed(_ value: ByteView) -> Bool {
        // What stands for itself in JSON, but for the one control character above ASCII's other characters.
        value.plainRun(from: 0) == value.count && !value.contains(ASCII.delete)
    }
}
