/// The value of a Cookie header, as browsers send it (RFC 6265 section 5.4): `name=value` pairs with `; ` between them.
package enum CookieHeader {
    /// Calls a function with the value of each cookie of a name, in the order sent, until it answers false.
    ///
    /// A name matches exactly. White space around names and values and one pair of quotes around a value are taken off.
    package static func forEachValue(of name: ByteView, in header: ByteView, _ body: (ByteView) -> Bool) {
        var start = 0
        while start <= header.count {
            let end = header.firstPosition(of: ASCII.semicolon, from: start) ?? header.count
            let pair = header.slice(from: start, to: end)
            if let equals = pair.firstPosition(of: ASCII.equals),
                pair.slice(from: 0, to: equals).trimmed().equals(name)
            {
                let value = withoutQuotes(pair.slice(from: equals &+ 1).trimmed())
                if !body(value) { return }
            }
            start = end &+ 1
        }
    }

    private static func withoutQuotes(_ value: ByteView) -> ByteView {
        guard value.count >= 2, value[0] == ASCII.quote, value[value.count &- 1] == ASCII.quote else { return value }
        return value.slice(from: 1, to: value.count &- 1)
    }
}
