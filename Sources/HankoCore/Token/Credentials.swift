/// What in the headers of a request could be the session token, in the order in which Hanko itself looks: a bearer
/// credential first, then the cookies of the configured name in the order sent.
package struct Credentials {
    /// More are not looked at, so that nobody can make one request cost many.
    package static var maximumCount: Int { 4 }

    private var candidates = InlineArray<4, ByteView>(repeating: .empty)
    package private(set) var count = 0

    /// A header holds a U+0000, which no header can: nothing of it is believed.
    package private(set) var holdNUL = false

    /// One token and nothing else; none when it is empty.
    package init(token: ByteView) { add(token) }

    /// Looks through headers.
    ///
    /// - Parameters:
    ///   - cookie: the value of the Cookie header, or nothing.
    ///   - authorization: the value of the Authorization header, or nothing.
    ///   - cookieName: the name of the cookie.
    package init(cookie: ByteView, authorization: ByteView, cookieName: ByteView) {
        guard !cookie.contains(0), !authorization.contains(0) else {
            holdNUL = true
            return
        }
        if let credential = AuthorizationHeader.bearer(authorization) { addIfText(credential) }
        var found = self
        CookieHeader.forEachValue(of: cookieName, in: cookie) { value in
            found.addIfText(value)
            return found.count < Self.maximumCount
        }
        self = found
    }

    /// A candidate; nothing beyond the last.
    package subscript(index: Int) -> ByteView {
        index >= 0 && index < count ? candidates[index] : .empty
    }

    /// Bytes that are not UTF-8 do not count: no Hanko made them.
    private mutating func addIfText(_ candidate: ByteView) {
        if UTF8Text.isValid(candidate) { add(candidate) }
    }

    /// Equal candidates count once.
    private mutating func add(_ candidate: ByteView) {
        guard !candidate.isEmpty else { return }
        var index = 0
        while index < count {
            if self[index].equals(candidate) { return }
            index &+= 1
        }
        guard count < Self.maximumCount else { return }
        candidates[count] = candidate
        count &+= 1
    }
}
