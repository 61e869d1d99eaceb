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
                cookie: cookieView, authorization: authorizationView, cookieName: ByteView("hanko"))
            let holdsNUL = authorization.contains(0) || cookie.contains(0)
            require(found.holdNUL == holdsNUL, "a NUL")
            let expected = holdsNUL ? [] : candidates(authorization, cookie)
            require(found.count == expected.count, "the number of candidates")
            for index in 0..<found.count { require(found[index].bytes() == expected[index], "a candidate") }
            require(found[found.count].isEmpty && found[-1].isEmpty, "a candidate beyond the last")
        }
    }
    return 0
}

/// The same rules once more, on arrays.
private func candidates(_ authorization: [UInt8], _ cookie: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    func add(_ candidate: [UInt8]) {
        guard !candidate.isEmpty, found.count < 4, !found.contains(candidate),
            String(validating: candidate, as: UTF8.self) != nil
        else { return }
        found.append(candidate)
    }
    let header = trimmed(authorization)
    if header.count > 7, header[6] == 0x20 || header[6] == 0x09,
        header.prefix(6).map({ $0 | 0x20 }) == Array("bearer".utf8), header.prefix(6).allSatisfy({ $0 >= 0x41 })
    {
        add(trimmed(Array(header[6...])))
    }
    for pair in cookie.split(separator: 0x3B, omittingEmptySubsequences: false) {
        guard let equals = pair.firstIndex(of: 0x3D), trimmed(Array(pair[..<equals])) == Array("hanko".utf8) else {
            continue
        }
        var value = trimmed(Array(pair[(equals + 1)...]))
        if value.count >= 2, value.first == 0x22, value.last == 0x22 { value = Array(value[1..<(value.count - 1)]) }
        add(value)
    }
    return found
}

private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return Array(bytes[first...last])
}
