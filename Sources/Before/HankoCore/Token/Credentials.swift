/// The tokens to ask about: one that was given, or those in the headers of a request.
package struct Credentials {
    /// More are not asked about, so that nobody can make one request cost many.
    package static var maximumCount: Int { 4 }

    private var candidates = InlineArray<4, SessionToken?>(repeating: nil)
    package private(set) var count = 0

    /// A header holds a U+0000, which no header can: nothing of it is believed.
    package private(set) var holdNUL = false

    /// Why the first thing that stood where a token stands is none; nil where there was no such thing.
    package private(set) var firstRefusal: TokenRefusal?

    /// One token and nothing else.
    package init(_ token: SessionToken) { add(token) }

    /// Looks through headers: first for tokens that could be good as far as one can see, then for others, each in the
    /// order in which Hanko itself looks. So what somebody has planted beside a good token does not hide it, unless it
    /// looks good, too.
    ///
    /// - Parameters:
    ///   - cookie: the value of the Cookie header, or nothing.
    ///   - authorization: the value of the Authorization header, or nothing.
    ///   - cookieName: the name of the cookie.
    ///   - now: seconds since 1970.
    package init(cookie: ByteView, authorization: ByteView, cookieName: ByteView, now: Int64) {
        guard !cookie.contains(0), !authorization.contains(0) else {
            holdNUL = true
            return
        }
        var good = Credentials()
        var others = Credentials()
        var values = CredentialValues(cookie: cookie, authorization: authorization, cookieName: cookieName)
        while good.count < Self.maximumCount, let value = values.next() {
            do throws(TokenRefusal) {
                let token = try SessionToken(value)
                if token.mayBeGood(now: now) {
                    good.add(token)
                } else {
                    others.add(token)
                }
            } catch {
                // Without memory a good token may have been passed over.
                if firstRefusal == nil || error == .noMemory { firstRefusal = error }
            }
        }
        candidates = good.candidates
        count = good.count
        for index in others.candidates.indices { others.candidates[index].map { add($0) } }
    }

    private init() {}

    package static var none: Credentials { Credentials() }

    /// The same candidates in memory of our own.
    ///
    /// - Parameter buffer: is empty, and receives their texts; it must be there, and stay as it is, as long as they are
    ///   used.
    /// - Returns: nil when there is no memory.
    func copied(to buffer: inout SecretBuffer) -> Credentials? {
        var total = 0
        // Each is of bounded length, so the sum is far from overflowing.
        for index in candidates.indices { total = total &+ (candidates[index]?.text.count ?? 0) }
        guard buffer.reserve(total) else { return nil }
        var copies = self
        for index in candidates.indices {
            guard let token = candidates[index] else { continue }
            let start = buffer.count
            buffer.append(token.text)
            copies.candidates[index] = buffer.withView { token.moved(to: $0.slice(from: start)) }
        }
        return copies
    }

    /// A candidate; nil beyond the last.
    package subscript(index: Int) -> SessionToken? {
        candidates.indices.contains(index) ? candidates[index] : nil
    }

    /// Equal candidates count once.
    @inline(never)
    private mutating func add(_ candidate: SessionToken) {
        var index = 0
        while index < count {
            if let known = self[index], known.text.equals(candidate.text) { return }
            index &+= 1
        }
        guard count < Self.maximumCount else { return }
        candidates[count] = candidate
        count &+= 1
    }
}
