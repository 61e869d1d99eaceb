/// A token that Hanko may be asked about: text in UTF-8 of bounded length, without white space around it, and where it
/// has the shape of a JWS, one in the only form that Hanko issues.
///
/// Hanko verifies a JWS in other spellings as well: with line feeds inside, in the other alphabet of base64, with stray
/// bits in the last letter, in JSON form. Whoever holds a good token could so hide its payload from this library, and
/// with it whose token it is and for which audience. So every JWS that is not canonical is refused here.
package struct SessionToken {
    package static var maximumLength: Int { 262_144 }

    /// Refers to the bytes that were given.
    package let text: ByteView
    /// Where the payload stands in the text, still encoded; from 0 to 0 in what is no JWS.
    private let payloadStart: Int
    private let payloadEnd: Int
    /// What the payload says; nil where the token is no JWS. It counts only after Hanko has said yes to the whole token.
    package let claims: TokenClaims?

    private init(_ text: ByteView, payloadStart: Int, payloadEnd: Int, claims: TokenClaims?) {
        self.text = text
        self.payloadStart = payloadStart
        self.payloadEnd = payloadEnd
        self.claims = claims
    }

    /// A text of our own, which is no JWS.
    init(plain text: StaticString) { self.init(ByteView(text), payloadStart: 0, payloadEnd: 0, claims: nil) }

    /// Looks at a token before anybody is asked about it.
    ///
    /// - Throws: why nobody is to be asked.
    package init(_ bytes: ByteView) throws(TokenRefusal) {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.maximumLength else { throw .tooLong }
        guard !bytes.contains(0) else { throw .holdsNUL }
        guard UTF8Text.isValid(bytes) else { throw .notUTF8 }
        let text = WhiteSpace.trimmed(bytes)
        guard !text.isEmpty else { throw .blank }
        // A JWS in JSON form, of which Hanko issues none.
        guard text[0] != ASCII.openBrace else { throw .notCanonical }
        guard let first = text.firstPosition(of: ASCII.dot),
            let second = text.firstPosition(of: ASCII.dot, from: first &+ 1)
        else {
            self.init(text, payloadStart: 0, payloadEnd: 0, claims: nil)
            return
        }
        let signature = text.slice(from: second &+ 1)
        guard !signature.contains(ASCII.dot), Base64URL.isValid(signature) else { throw .notCanonical }
        let claims = try Self.claims(
            header: text.slice(from: 0, to: first), payload: text.slice(from: first &+ 1, to: second))
        self.init(text, payloadStart: first &+ 1, payloadEnd: second, claims: claims)
    }

    /// The same token in other bytes, which are equal.
    func moved(to copy: ByteView) -> SessionToken {
        SessionToken(copy, payloadStart: payloadStart, payloadEnd: payloadEnd, claims: claims)
    }

    /// Whether it could be good as far as one can see without asking: its payload is of a Hanko session, and its expiry
    /// is ahead.
    ///
    /// - Parameter now: seconds since 1970.
    package func mayBeGood(now: Int64) -> Bool {
        guard let claims, claims.areOfSession, case .seconds(let expiry) = claims.expiration else { return false }
        return expiry > now
    }

    // MARK: The parts of a JWS

    private static func claims(header: ByteView, payload: ByteView) throws(TokenRefusal) -> TokenClaims {
        var buffer = SecretBuffer()
        try decode(header, into: &buffer)
        try buffer.withView { (document) throws(TokenRefusal) in
            try read { () throws(JSONError) in
                var reader = JSONReader(document)
                let isObject = try reader.openObject()
                try reader.finish()
                return isObject ? () : nil
            }
        }
        buffer.erase()
        try decode(payload, into: &buffer)
        return try buffer.withView { (document) throws(TokenRefusal) in
            try read { () throws(JSONError) in try ClaimFields.readPayload(document).map { TokenClaims($0) } }
        }
    }

    private static func decode(_ part: ByteView, into buffer: inout SecretBuffer) throws(TokenRefusal) {
        do {
            try Base64URL.decode(part, into: &buffer)
        } catch {
            throw error == .noMemory ? .noMemory : .notCanonical
        }
    }

    /// Reads a part that must be a JSON object.
    ///
    /// - Parameter body: answers nil for what is JSON but not an object.
    private static func read<Result>(_ body: () throws(JSONError) -> Result?) throws(TokenRefusal) -> Result {
        let result: Result?
        do {
            result = try body()
        } catch {
            throw error.kind == .noMemory ? .noMemory : .notCanonical
        }
        guard let result else { throw .notCanonical }
        return result
    }

    /// Decodes and reads the payload once more, for its texts, and gives the claims to a function; nil in what is no JWS.
    /// They must not leave the function.
    ///
    /// - Returns: nil when there is no memory to read them. That is not a token without claims: what speaks against a yes
    ///   would be left out.
    func withClaimFields<Result>(_ body: (ClaimFields?) -> Result) -> Result? {
        guard claims != nil else { return body(nil) }
        var buffer = SecretBuffer()
        do {
            try Base64URL.decode(text.slice(from: payloadStart, to: payloadEnd), into: &buffer)
        } catch {
            // It was decoded and read before, so only memory can be lacking.
            return nil
        }
        return buffer.withView { document in
            do throws(JSONError) {
                return body(try ClaimFields.readPayload(document))
            } catch {
                return nil
            }
        }
    }
}
