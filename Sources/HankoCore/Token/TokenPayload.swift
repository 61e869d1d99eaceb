/// The payload of a compact token (RFC 7515 section 3.1): header, payload and signature with dots between them.
package enum TokenPayload {
    /// Finds and decodes the payload. Its signature is not checked here: it counts only after Hanko has said yes to the
    /// whole token.
    ///
    /// - Parameters:
    ///   - token: the whole token.
    ///   - buffer: is appended to.
    /// - Returns: false when the token has no such form; the verdict then goes without a payload.
    static func decode(_ token: ByteView, into buffer: inout SecretBuffer) -> Bool {
        guard let first = token.firstPosition(of: ASCII.dot),
            let second = token.firstPosition(of: ASCII.dot, from: first &+ 1),
            token.firstPosition(of: ASCII.dot, from: second &+ 1) == nil
        else { return false }
        return Base64URL.decode(token.slice(from: first &+ 1, to: second), into: &buffer)
    }

    /// Decodes and reads the claims of a token's payload and gives them to a function; nil when the token has none. They
    /// must not leave the function.
    ///
    /// - Returns: nil when there is no memory to read them. That is not a token without claims: what speaks against a yes
    ///   would be left out.
    static func withClaims<Result>(of token: ByteView, _ body: (ClaimFields?) -> Result) -> Result? {
        var buffer = SecretBuffer()
        // Three bytes for four: more than the payload takes; what cannot be decoded now is no payload.
        guard buffer.reserve(token.count &- token.count / 4) else { return nil }
        guard decode(token, into: &buffer) else { return body(nil) }
        return buffer.withView { payload in
            do throws(JSONError) {
                return body(try ClaimFields.readPayload(payload))
            } catch {
                return error.kind == .noMemory ? nil : body(nil)
            }
        }
    }

    /// Whether a token could be good as far as one can see without asking: its payload holds Hanko's claims, and its
    /// expiry is ahead.
    ///
    /// - Parameter now: seconds since 1970.
    package static func mayBeGood(_ token: ByteView, now: Int64) -> Bool {
        let mayBeGood = withClaims(of: token) { claims in
            guard let claims, claims.sessionID.uuid != nil, case .number(let number) = claims.expiration,
                let expiry = Timestamp.numericDate(number)
            else { return false }
            return expiry > now
        }
        // Where that cannot be seen, its "no" gets a confirmation of its own.
        return mayBeGood ?? true
    }
}
