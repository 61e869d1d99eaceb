/// Writes the two requests that Hanko is asked, whole: a head of HTTP/1.1 (RFC 9112) and a body.
///
/// What is the same in all of them is made once, so that a request costs little more than copying it.
package struct RequestWriter {
    /// More than the field with the length and the empty line have.
    private static var lengthOfRest: Int { 48 }

    /// Both end where the id follows.
    private let validation: [UInt8]
    private let keySet: [UInt8]

    /// Prepares the requests for one Hanko.
    ///
    /// - Parameters:
    ///   - isHTTPS: decides which port is not named.
    ///   - host: as in the URL, an IPv6 address in brackets; a name that is not ASCII in its ASCII form.
    ///   - port: the one that is connected to.
    ///   - path: what stands in the URL before `/sessions/validate`: nothing, or a slash first and none at the end.
    ///     What is not ASCII in it is sent with percent signs.
    /// - Returns: nil when a part is none: it would be another request, or several.
    package init?(isHTTPS: Bool, host: ByteView, port: UInt16, path: ByteView) {
        guard !host.isEmpty, port > 0, path.isEmpty || path[0] == ASCII.slash && path[path.count &- 1] != ASCII.slash
        else { return nil }
        for position in 0..<host.count where !Self.mayStandInHost(host[position]) { return nil }
        for position in 0..<path.count where !Self.mayStandInPath(path[position]) { return nil }
        var authority = host.bytes()
        if port != (isHTTPS ? 443 : 80) { authority += [ASCII.colon] + Self.digits(Int(port)) }
        let target = Self.percentEncoded(path)
        let common =
            Self.bytes("User-Agent: libhanko/") + Self.bytes(LibraryVersion.text)
            + Self.bytes("\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n")
        validation =
            Self.bytes("POST ") + target + Self.bytes("/sessions/validate HTTP/1.1\r\nHost: ") + authority
            + Self.bytes("\r\n") + common + Self.bytes("Content-Type: application/json\r\nX-Request-Id: ")
        // A cache's answer would say nothing about Hanko now.
        keySet =
            Self.bytes("GET ") + target + Self.bytes("/.well-known/jwks.json HTTP/1.1\r\nHost: ") + authority
            + Self.bytes("\r\n") + common + Self.bytes("Cache-Control: no-cache\r\nX-Request-Id: ")
    }

    /// Writes the request about a token in the place of what a buffer holds.
    ///
    /// - Parameters:
    ///   - token: the text of a `SessionToken`.
    ///   - id: is random, and of this request alone.
    /// - Returns: false when there is no memory. The buffer is then empty: what is cut short must not be sent, because
    ///   the answer would be a "no".
    package func writeValidation(of token: ByteView, id: RequestID, to buffer: inout SecretBuffer) -> Bool {
        // The length stands before the body. It is that of the token, unless there is something to escape in it; then
        // all of it is written once more.
        let start = ByteView("{\"session_token\":\"")
        var length = start.count &+ token.count &+ 2
        for _ in 0..<2 {
            guard begin(validation, id, room: Self.lengthOfRest &+ length, &buffer) else { return false }
            buffer.append(ByteView("\r\nContent-Length: "))
            Self.append(length, to: &buffer)
            buffer.append(ByteView("\r\n\r\n"))
            let head = buffer.count
            buffer.append(start.slice(from: 0, to: start.count &- 1))
            guard JSONWriter.appendString(token, to: &buffer), buffer.reserve(buffer.count &+ 1) else { break }
            buffer.append(ASCII.closeBrace)
            guard !buffer.hasOverflowed else { break }
            if buffer.count &- head == length { return true }
            length = buffer.count &- head
        }
        buffer.erase()
        return false
    }

    /// Writes the request for the key set in the place of what a buffer holds.
    ///
    /// - Parameter id: is random, and of this request alone.
    /// - Returns: false when there is no memory. The buffer is then empty.
    package func writeKeySet(id: RequestID, to buffer: inout SecretBuffer) -> Bool {
        guard begin(keySet, id, room: Self.lengthOfRest, &buffer) else { return false }
        buffer.append(ByteView("\r\n\r\n"))
        guard buffer.hasOverflowed else { return true }
        buffer.erase()
        return false
    }

    /// - Returns: false when there is no memory; the buffer is then empty.
    @inline(__always)
    private func begin(_ head: [UInt8], _ id: RequestID, room: Int, _ buffer: inout SecretBuffer) -> Bool {
        buffer.erase()
        guard buffer.reserve(head.count &+ RequestID.length &+ room) else { return false }
        head.withUnsafeBufferPointer { buffer.append(ByteView($0)) }
        if id.append(to: &buffer) { return true }
        buffer.erase()
        return false
    }

    private static func append(_ number: Int, to buffer: inout SecretBuffer) {
        var divisor = 1
        while number / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            buffer.append(UInt8(truncatingIfNeeded: number / divisor % 10) &+ ASCII.zero)
            divisor /= 10
        }
    }

    // MARK: Parts of an address

    /// Visible ASCII, and nothing that ends the host or stands for something else in it.
    private static func mayStandInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.slash, ASCII.questionMark, ASCII.hash, ASCII.at, ASCII.backslash, ASCII.comma: false
        default: byte > ASCII.space && byte < 0x7F
        }
    }

    private static func mayStandInPath(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.questionMark, ASCII.hash, ASCII.backslash, 0x7F: false
        default: byte > ASCII.space
        }
    }

    private static func percentEncoded(_ path: ByteView) -> [UInt8] {
        var encoded: [UInt8] = []
        for position in 0..<path.count {
            let byte = path[position]
            if byte < 0x80 {
                encoded.append(byte)
            } else {
                encoded += [0x25, hexadecimalDigit(byte >> 4), hexadecimalDigit(byte & 0x0F)]
            }
        }
        return encoded
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ ASCII.zero : value &- 10 &+ 0x41
    }

    private static func digits(_ number: Int) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.insert(UInt8(truncatingIfNeeded: rest % 10) &+ ASCII.zero, at: 0)
            rest /= 10
        } while rest > 0
        return digits
    }

    private static func bytes(_ text: StaticString) -> [UInt8] { ByteView(text).bytes() }
}
