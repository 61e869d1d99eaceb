/// What stands in the headers of a request where a token stands, in the order in which Hanko looks: a bearer credential,
/// then the cookies of a name in the order sent. Nothing is said about it, but that it is text and not empty.
package struct CredentialValues {
    private var credential: ByteView?
    private var cookies: CookieHeader

    package init(cookie: ByteView, authorization: ByteView, cookieName: ByteView) {
        // Bytes that are not UTF-8 do not count: no Hanko made them. Those of cookies are ASCII.
        credential = AuthorizationHeader.bearer(authorization).flatMap { UTF8Text.isValid($0) ? $0 : nil }
        cookies = CookieHeader(cookie, name: cookieName)
    }

    /// - Returns: nil when there is no more.
    package mutating func next() -> ByteView? {
        if let first = credential.take() { return first }
        while let value = cookies.next() {
            if !value.isEmpty { return value }
        }
        return nil
    }
}
