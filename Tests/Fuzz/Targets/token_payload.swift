@testable import HankoCore

/// The payload of any text as a token, what is read from it, and what is said of a token before it is sent.
@_cdecl("LLVMFuzzerTestOneInput")
public func readToken(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    checkToken(bytes)
    // Few inputs would be well encoded by chance: here every one is.
    checkToken(Array("eyJhbGciOiJSUzI1NiJ9.".utf8) + Base64Model.encode(bytes) + Array(".c2ln".utf8))
    checkClaims(bytes)
    checkRefusal(bytes)
    return 0
}

private func checkToken(_ token: [UInt8]) {
    let expected = Base64Model.payload(of: token)
    withExactCopy(token) { token in
        var buffer = SecretBuffer()
        let decoded = TokenPayload.decode(token, into: &buffer)
        require(decoded == (expected != nil), "the form of the token")
        require(!buffer.hasOverflowed, "the buffer is too small")
        if let expected { require(buffer.withView { $0.bytes() } == expected, "the payload") }
        buffer.erase()
        require(buffer.count == 0, "the buffer keeps something")
    }
}

private func checkClaims(_ payload: [UInt8]) {
    let expected = JSONModel.parse(payload)
    withExactCopy(payload) { payload in
        do {
            let claims = try ClaimFields.readPayload(payload)
            guard let expected else { fatalError("claims from what is no JSON") }
            require(isSame(claims.subject, expected["sub"]), "sub")
            require(isSame(claims.sessionID, expected["session_id"]), "session_id")
            require(isSame(claims.audience, expected["aud"]), "aud")
            require(isSame(claims.expiration, expected["exp"]), "exp")
            require(isSame(claims.username, expected["username"]), "username")
            require(isSame(claims.email, expected["email"]?["address"]), "email")
            require(claims.sessionID.uuid.map { isUUID($0.bytes()) } ?? true, "a UUID")
        } catch {
            require(expected == nil, "JSON whose claims cannot be read")
        }
    }
}

private func isSame(_ field: JSONField, _ value: JSONValue?) -> Bool {
    switch field {
    case .absent: value == nil
    case .text(let text): value?.text?.bytes == text.bytes()
    case .number(let digits): value == .number(digits.bytes())
    case .boolean(let boolean): value == .boolean(boolean)
    case .container(let document): value == JSONModel.parse(document.bytes())
    }
}

private func isUUID(_ text: [UInt8]) -> Bool {
    let groups = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let digits = Set("0123456789abcdefABCDEF".utf8)
    return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(digits.contains)
}

private func checkRefusal(_ token: [UInt8]) {
    let isText = String(validating: token, as: UTF8.self) != nil
    let expected: VerdictReason? =
        token.isEmpty ? .noToken : token.contains(0) ? .tokenHoldsNUL : isText ? nil : .tokenNotUTF8
    require(
        withExactCopy(token) { SessionToken.refusal(of: $0) } == expected, "what is said of a token before it is sent")
}
