@testable import HankoCore
import Testing

@Suite struct RequestWriterTests {
    private static let id = RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    private static func writer(
        https: Bool = true, host: [UInt8] = Array("t.hanko.io".utf8), port: UInt16 = 443, path: [UInt8] = []
    ) -> RequestWriter? {
        withBytes(host) { host in
            withBytes(path) { RequestWriter(isHTTPS: https, host: host, port: port, path: $0) }
        }
    }

    private static func validation(of token: String, _ writer: RequestWriter?) -> String? {
        var buffer = SecretBuffer()
        guard let writer, withBytes(of: token, { writer.writeValidation(of: $0, id: id, to: &buffer) }) else {
            return nil
        }
        return buffer.withView { $0.string }
    }

    private static func keySet(_ writer: RequestWriter?) -> String? {
        var buffer = SecretBuffer()
        guard let writer, writer.writeKeySet(id: id, to: &buffer) else { return nil }
        return buffer.withView { $0.string }
    }

    @Test func theRequestAboutATokenIsWhole() {
        let expected = """
            POST /tenant/sessions/validate HTTP/1.1\r
            Host: t.hanko.io\r
            User-Agent: libhanko/\(LibraryVersion.text)\r
            Accept: application/json\r
            Accept-Encoding: identity\r
            Content-Type: application/json\r
            X-Request-Id: 0123456789abcdeffedcba9876543210\r
            Content-Length: 25\r
            \r
            {"session_token":"a.b.c"}
            """
        #expect(Self.validation(of: "a.b.c", Self.writer(path: Array("/tenant".utf8))) == expected)
    }

    @Test func theRequestForTheKeySetIsWhole() {
        let expected = """
            GET /.well-known/jwks.json HTTP/1.1\r
            Host: localhost:8000\r
            User-Agent: libhanko/\(LibraryVersion.text)\r
            Accept: application/json\r
            Accept-Encoding: identity\r
            Cache-Control: no-cache\r
            X-Request-Id: 0123456789abcdeffedcba9876543210\r
            \r

            """
        #expect(Self.keySet(Self.writer(https: false, host: Array("localhost".utf8), port: 8000)) == expected)
    }

    @Test(
        arguments: [
            (true, 443, "h"), (true, 80, "h:80"), (false, 80, "h"), (false, 443, "h:443"), (true, 1, "h:1"),
            (false, 65_535, "h:65535"),
        ] as [(Bool, UInt16, String)])
    func thePortIsNamedWhereItIsNotTheSchemesOwn(_ https: Bool, _ port: UInt16, _ host: String) {
        let writer = Self.writer(https: https, host: Array("h".utf8), port: port)
        for request in [Self.validation(of: "x", writer), Self.keySet(writer)] {
            #expect(request?.contains("\r\nHost: \(host)\r\n") == true)
        }
    }

    @Test func anIPv6AddressStandsInBrackets() {
        let writer = Self.writer(https: false, host: Array("[::1]".utf8), port: 8000)
        #expect(Self.keySet(writer)?.contains("\r\nHost: [::1]:8000\r\n") == true)
    }

    /// The declared length is that of the body, whatever has to be escaped and however many digits that adds.
    @Test(arguments: [
        "x", "\"", "a\\b", "\u{1}\u{1F}", "é😀", String(repeating: "a", count: 79), String(repeating: "a", count: 80),
        String(repeating: "\"", count: 40), String(repeating: "\u{1}", count: 200),
        String(repeating: "a", count: 262_144),
        String(repeating: "\u{1}", count: 262_144),
    ])
    func theLengthIsThatOfTheBody(_ token: String) {
        guard let request = Self.validation(of: token, Self.writer()) else {
            Issue.record("there is no request")
            return
        }
        let bytes = Array(request.utf8)
        let end = Array("\r\n\r\n".utf8)
        let body = (4...bytes.count).first { Array(bytes[$0 - 4..<$0]) == end } ?? 0
        let head = String(decoding: bytes[..<body], as: UTF8.self)
        #expect(head.hasSuffix("\r\nContent-Length: \(bytes.count - body)\r\n\r\n"))
        let text = withBytes(Array(bytes[body...])) { view -> [UInt8]? in
            var reader = JSONReader(view)
            guard (try? reader.openObject()) == true, (try? reader.nextKey())?.equals("session_token") == true,
                case .text(let text)? = try? reader.field(),
                case .endObject? = try? reader.next(), case .end? = try? reader.next()
            else { return nil }
            return text.bytes()
        }
        #expect(text == Array(token.utf8))
    }

    @Test func oneBufferServesForAll() {
        guard let writer = Self.writer() else {
            Issue.record("there is no writer")
            return
        }
        var buffer = SecretBuffer()
        for token in [String(repeating: "long", count: 1000), "x", "\"\"\""] {
            let isWritten = withBytes(of: token) { writer.writeValidation(of: $0, id: Self.id, to: &buffer) }
            #expect(isWritten)
            let request = buffer.withView { $0.string }
            #expect(request == Self.validation(of: token, writer))
            let keySetIsWritten = writer.writeKeySet(id: Self.id, to: &buffer)
            #expect(keySetIsWritten)
            let keySet = buffer.withView { $0.string }
            #expect(keySet == Self.keySet(writer))
        }
    }

    /// The buffer is as large as a power of two; each length of a request around that must find room.
    @Test func everyLengthFindsRoom() {
        let writer = Self.writer()
        for length in 0..<2100 {
            var buffer = SecretBuffer()
            let token = [UInt8](repeating: 0x61, count: length)
            let isWritten = withBytes(token) { writer?.writeValidation(of: $0, id: Self.id, to: &buffer) }
            #expect(isWritten == true, "\(length)")
        }
    }

    @Test func eachRequestHasItsOwnID() {
        let writer = Self.writer()
        var buffer = SecretBuffer()
        let isWritten = writer?.writeKeySet(id: RequestID(high: 0, low: 10), to: &buffer)
        #expect(isWritten == true)
        let request = buffer.withView { $0.string }
        #expect(request?.hasSuffix("\r\nX-Request-Id: 0000000000000000000000000000000a\r\n\r\n") == true)
    }

    @Test(arguments: [
        "", "a b", "a\r\nb", "a\rb", "a\nb", "a\0b", "a\tb", "a\u{7F}", "a/b", "a?b", "a#b", "u@h", "a\\b", "a,b", "ä",
        "h\r\nX: y", " ",
    ])
    func aHostThatIsNoneIsRefused(_ host: String) {
        #expect(Self.writer(host: Array(host.utf8)) == nil)
    }

    @Test(arguments: [
        "a", "/a b", "/a\r\nb", "/\r", "/\n", "/\0", "/\t", "/\u{7F}", "/a?b", "/a#b", "/a\\b", " /a", "/ HTTP/1.1",
        "/", "/a/",
    ])
    func aPathThatIsNoneIsRefused(_ path: String) {
        #expect(Self.writer(path: Array(path.utf8)) == nil)
    }

    @Test func aPortOfZeroIsRefused() { #expect(Self.writer(port: 0) == nil) }

    @Test(arguments: [
        ("", ""), ("/a/b", "/a/b"), ("/%20;:@&=+$,!~*'()[]|\"<>`^{}", "/%20;:@&=+$,!~*'()[]|\"<>`^{}"),
        ("/é", "/%C3%A9"), ("/😀", "/%F0%9F%98%80"),
    ])
    func thePathStandsBeforeTheRest(_ path: String, _ sent: String) {
        let writer = Self.writer(path: Array(path.utf8))
        #expect(Self.validation(of: "x", writer)?.hasPrefix("POST \(sent)/sessions/validate HTTP/1.1\r\n") == true)
        #expect(Self.keySet(writer)?.hasPrefix("GET \(sent)/.well-known/jwks.json HTTP/1.1\r\n") == true)
    }
}
