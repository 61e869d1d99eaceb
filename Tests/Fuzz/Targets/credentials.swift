import HankoCore

/// Headers of a request: the first line is the Authorization header, all that follows the Cookie header.
@_cdecl("LLVMFuzzerTestOneInput")
public func findCredentials(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    let end = bytes.firstIndex(of: 0x0A) ?? bytes.count
    let authorization = Array(bytes[..<end])
    let cookie = Array(bytes[min(end + 1, bytes.count)...])
    withExactCopy(authorization) { authorizationView in
        withExactCopy(cookie) { cookieView in
            let found = Credentials(
                cookie: cookieView, authorization: authorizationView, cookieName: ByteView("hanko"), now: now)
            let holdsNUL = authorization.contains(0) || cookie.contains(0)
            require(found.holdNUL == holdsNUL, "a NUL")
            let values = holdsNUL ? [] : values(authorization, cookie)
            let tokens = values.map { TokenModel($0) }
            let expected = candidates(tokens)
            require(found.count == expected.count, "the number of candidates")
            for index in 0..<found.count { require(found[index]?.text.bytes() == expected[index], "a candidate") }
            require(found[found.count] == nil && found[-1] == nil, "a candidate beyond the last")
            let status: Status? =
                holdsNUL ? .invalidToken : values.isEmpty ? .noToken : expected.isEmpty ? .invalidToken : nil
            require(found.refusal?.status == status, "why nobody is asked")
            if !holdsNUL {
                var found = CredentialValues(
                    cookie: cookieView, authorization: authorizationView, cookieName: ByteView("hanko"))
                for value in values { require(found.next()?.bytes() == value, "a value") }
                require(found.next() == nil, "a value beyond the last")
            }
        }
    }
    return 0
}

private let now: Int64 = 1_795_352_434

/// The same rules once more, on arrays: what stands where a token stands.
private func values(_ authorization: [UInt8], _ cookie: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    let header = trimmed(authorization, " \t")
    if header.count > 7, header[6] == 0x20 || header[6] == 0x09,
        header.prefix(6).map({ $0 | 0x20 }) == Array("bearer".utf8), header.prefix(6).allSatisfy({ $0 >= 0x41 })
    {
        let credential = trimmed(Array(header[6...]), " \t")
        if !credential.isEmpty, String(validating: credential, as: UTF8.self) != nil { found.append(credential) }
    }
    for pair in cookie.split(separator: 0x3B, omittingEmptySubsequences: false) {
        let pair = trimmed(Array(pair), " \t\r\n")
        let halves = pair.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
        guard let name = halves.first, trimmed(name, " \t\r\n") == Array("hanko".utf8) else { continue }
        var value = halves.count > 1 ? halves[1] : []
        if value.count >= 2, value.first == 0x22, value.last == 0x22 { value = Array(value[1..<(value.count - 1)]) }
        let isAllowed = value.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        if isAllowed, !value.isEmpty { found.append(value) }
    }
    return found
}

/// Those to ask about: at first those that could be good.
private func candidates(_ tokens: [TokenModel]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for wantsGood in [true, false] {
        for token in tokens where mayBeGood(token) == wantsGood {
            if let text = token.text, !found.contains(text) { found.append(text) }
        }
    }
    return Array(found.prefix(4))
}

private func mayBeGood(_ token: TokenModel) -> Bool {
    guard let id = token.payload?["session_id"]?.text, case .number(let digits) = token.payload?["exp"],
        let expiry = TimeModel.numericDate(digits)
    else { return false }
    return expiry > now && (withExactCopy(id.bytes) { UUIDValue($0) }) != nil
}

private func trimmed(_ bytes: [UInt8], _ blanks: String) -> [UInt8] {
    let blanks = Array(blanks.utf8)
    guard let first = bytes.firstIndex(where: { !blanks.contains($0) }),
        let last = bytes.lastIndex(where: { !blanks.contains($0) })
    else { return [] }
    return Array(bytes[first...last])
}
