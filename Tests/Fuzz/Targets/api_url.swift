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
    guard !hasHostBeyondASCII(text) else { return }
    guard let read = withExactCopy(text, { try? APIURL($0) }) else { return }
    require(text.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x5C }, "a blank or a control character")
    require(!text.contains(0x3F) && !text.contains(0x23), "a query or a fragment")
    let url = Array(read.text.dropLast())
    require(read.text.last == 0 && !url.contains(0), "the end of the C string")
    let start = Array((read.isHTTPS ? "https://" : "http://").utf8)
    require(url.starts(with: start), "the scheme")
    let afterScheme = url.dropFirst(start.count)
    let authority = Array(afterScheme.prefix { $0 != 0x2F })
    require(!authority.isEmpty && !authority.contains(0x40), "the host")
    let id = RequestID(high: 0, low: 0)
    check(read, authority, "POST", "/sessions/validate") {
        read.writer.writeValidation(of: ByteView("token"), id: id, to: &$0)
    }
    check(read, authority, "GET", "/.well-known/jwks.json") { read.writer.writeKeySet(id: id, to: &$0) }
    guard read.isLoopback else { return }
    let host = String(decoding: authority, as: UTF8.self).lowercased()
    require(
        host.hasPrefix("localhost") || host.hasPrefix("127.") || host.hasPrefix("[::1]"), "a host that is no loopback")
}

/// A request is for the same place that is connected to, and nothing in its first two lines ends them early.
private func check(
    _ read: APIURL, _ authority: [UInt8], _ method: String, _ path: String, write: (inout SecretBuffer) -> Bool
) {
    var buffer = SecretBuffer()
    require(write(&buffer), "a request that cannot be written")
    let text = buffer.withView { String(decoding: $0.bytes(), as: UTF8.self) }
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
    require(words.count == 3 && words[0] == method && words[2] == "HTTP/1.1", "the request line")
    require(words[1].hasPrefix("/") && words[1].hasSuffix(path), "the target")
    require(words[1] == path || !words[1].hasSuffix("/" + path), "a slash before the path")
    require(lines[1].hasPrefix("Host: "), "the field Host")
    require(lines.prefix { !$0.isEmpty }.filter { $0.lowercased().hasPrefix("host:") }.count == 1, "one host")
    let host = lines[1].dropFirst(6)
    require(!host.isEmpty && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "the host")
    // But for a zone and the port that is the scheme's own, it is the URL's.
    let given = String(decoding: authority, as: UTF8.self)
    guard !given.contains("%") else { return }
    let ownPort = read.isHTTPS ? ":443" : ":80"
    require(given == host || given == host + ownPort, "another host")
}

/// libcurl 7.88 loses a few bytes for each such host that it cannot convert, which would end the run as a leak of ours.
private func hasHostBeyondASCII(_ text: [UInt8]) -> Bool {
    let start = text.split(separator: 0x2F, maxSplits: 3, omittingEmptySubsequences: false).prefix(3).joined()
    let bytes = Array(start)
    return bytes.indices.contains { bytes[$0] >= 0x80 || bytes[$0] == 0x25 && bytes[($0 + 1)...].first.isBeyondASCII }
}

extension UInt8? {
    /// Whether it is the first digit of an escaped byte that is not ASCII.
    fileprivate var isBeyondASCII: Bool { map { "89ABCDEFabcdef".utf8.contains($0) } ?? false }
}
