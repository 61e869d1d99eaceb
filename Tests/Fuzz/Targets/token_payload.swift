@testable import HankoCore

/// The payload of any text as a token, what is read from it, and what is said of a token before it is sent.
@_cdecl("LLVMFuzzerTestOneInput")
public func readToken(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    checkToken(bytes)
    // Few inputs would be well encoded by chance: here every one is.
    checkToken(Array("eyJhbGciOiJSUzI1NiJ9.".utf8) + Base64Model.encode(bytes) + Array(".c2ln".utf8))
    checkToken(Base64Model.encode(bytes) + Array(".e30.c2ln".utf8))
    checkClaims(bytes)
    return 0
}

private func checkToken(_ bytes: [UInt8]) {
    let expected = TokenModel(bytes)
    withExactCopy(bytes) { view in
        do throws(TokenRefusal) {
            let token = try SessionToken(view)
            require(token.text.bytes() == expected.text, "the text of the token")
            require((token.claims != nil) == (expected.payload != nil), "the shape of a JWS")
            let isSame = token.withClaimFields { fields in
                fields.map { hasSameMembers($0, expected.payload) } ?? (expected.payload == nil)
            }
            require(isSame == true, "the payload")
            require(token.claims?.areOfSession != true || token.claims?.sessionID != nil, "a session without an id")
        } catch {
            guard case .refused(let reason) = expected else { fatalError("a token that is refused") }
            require(VerdictReason(error) == reason, "why the token is refused")
        }
    }
}

private func hasSameMembers(_ claims: ClaimFields, _ payload: JSONValue?) -> Bool {
    isSame(claims.subject, payload?["sub"]) && isSame(claims.sessionID, payload?["session_id"])
        && isSame(claims.audience, payload?["aud"]) && isSame(claims.expiration, payload?["exp"])
        && isSame(claims.issuedAt, payload?["iat"])
}

private func checkClaims(_ payload: [UInt8]) {
    let expected = JSONModel.parse(payload)
    withExactCopy(payload) { payload in
        do {
            let read = try ClaimFields.readPayload(payload)
            guard let expected else { fatalError("claims from what is no JSON") }
            require((read != nil) == expected.isObject, "claims of what is no object")
            guard let claims = read else { return }
            require(isSame(claims.subject, expected["sub"]), "sub")
            require(isSame(claims.sessionID, expected["session_id"]), "session_id")
            require(isSame(claims.audience, expected["aud"]), "aud")
            require(isSame(claims.expiration, expected["exp"]), "exp")
            require(isSame(claims.username, expected["username"]), "username")
            require(isSame(claims.email, expected["email"]?["address"]), "email")
            let hasUUID = claims.sessionID.text.map { isUUID($0.bytes()) } ?? false
            require((claims.sessionID.uuid != nil) == hasUUID, "a UUID")
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
