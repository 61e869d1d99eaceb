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
}
