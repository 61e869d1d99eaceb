import HankoCore

/// An API URL as somebody might configure it: what is accepted is safe to send a token to, as far as a URL can say.
@_cdecl("LLVMFuzzerTestOneInput")
public func readURL(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    check(bytes)
    check(Array("https://".utf8) + bytes)
    check(Array("http://127.".utf8) + bytes)
    return 0
}

private func check(_ text: [UInt8]) {
    guard let read = withExactCopy(text, { try? APIURL($0) }) else { return }
    require(text.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x5C }, "a blank or a control character")
    require(!text.contains(0x3F) && !text.contains(0x23), "a query or a fragment")
    let url = Array(read.validateURL.dropLast())
    require(read.validateURL.last == 0 && !url.contains(0), "the end of the C string")
    let start = Array((read.isHTTPS ? "https://" : "http://").utf8)
    require(url.starts(with: start), "the scheme")
    let afterScheme = url.dropFirst(start.count)
    let authority = Array(afterScheme.prefix { $0 != 0x2F })
    require(!authority.isEmpty && !authority.contains(0x40), "the host")
    require(url.count > 18 && url.suffix(18).elementsEqual("/sessions/validate".utf8), "the path")
    require(url.dropLast(18).last != 0x2F, "a slash before the path")
    guard read.isLoopback else { return }
    let host = String(decoding: authority, as: UTF8.self).lowercased()
    require(
        host.hasPrefix("localhost") || host.hasPrefix("127.") || host.hasPrefix("[::1]"), "a host that is no loopback")
}
