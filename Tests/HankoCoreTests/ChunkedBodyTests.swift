import HankoCore
import Testing

@Suite struct ChunkedBodyTests {
    private struct Found: Equatable {
        var body = ""
        var isMalformed = false
        var isComplete = false
        var hasSurplus = false
    }

    /// What is found when the bytes arrive in pieces of this length.
    private static func found(_ wire: String, inPiecesOf length: Int = .max) -> Found {
        var chunks = ChunkedBody()
        var found = Found()
        let bytes = Array(wire.utf8)
        var start = 0
        while start < bytes.count, !found.isMalformed {
            let end = length < bytes.count - start ? start + length : bytes.count
            let progress = withBytes(Array(bytes[start..<end])) { view in
                chunks.feed(view) { piece in
                    found.body += piece.string ?? "not UTF-8"
                    return true
                }
            }
            found.isMalformed = progress == .malformed
            start = end
        }
        found.isComplete = chunks.isComplete
        found.hasSurplus = chunks.hasSurplus
        return found
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\nhello\n0\n\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
        ("0005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("5 \r\nhello\r\n0\r\n\r\n", "hello"),
        ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
        ("5\r\nhello\r\n0\r\nX-Trailer: x\r\nY: y\r\n\r\n", "hello"),
    ])
    func theFramingIsTakenOffHoweverItArrives(_ wire: String, _ body: String) {
        for length in [1, 2, 3, 7, Int.max] {
            let found = Self.found(wire, inPiecesOf: length)
            #expect(found == Found(body: body, isComplete: true), "\(length)")
        }
    }

    @Test(arguments: [
        "x\r\n", "\r\n", ";\r\n", "-1\r\n", " 5\r\nhello\r\n", "5\r\nhelloX", "5\r\nhello0\r\n\r\n", "123456789\r\n",
        "FFFFFFFFFFFFFFFFF\r\n", "5\r\nhello\r\nx\r\n", "{\"is_valid\":true}",
    ])
    func whatIsNoFramingIsMalformed(_ wire: String) {
        for length in [1, 2, Int.max] {
            let found = Self.found(wire, inPiecesOf: length)
            #expect(found.isMalformed)
            #expect(!found.isComplete)
        }
    }

    @Test func everyBeginningIsIncomplete() {
        let wire = Array("5;x\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n".utf8)
        for length in 0..<wire.count {
            let found = Self.found(String(decoding: wire[..<length], as: UTF8.self))
            #expect(!found.isComplete && !found.isMalformed && !found.hasSurplus, "\(length)")
            #expect("hello!".hasPrefix(found.body), "\(length)")
        }
    }

    @Test(arguments: ["x", "\r\n", "HTTP/1.1 200 OK\r\n\r\n{\"is_valid\":true}", "0\r\n\r\n"])
    func bytesBehindTheEndAreSeenAndAreNotTheBody(_ surplus: String) {
        for length in [1, 5, Int.max] {
            let found = Self.found("5\r\nhello\r\n0\r\n\r\n" + surplus, inPiecesOf: length)
            #expect(found == Found(body: "hello", isComplete: true, hasSurplus: true))
        }
    }

    @Test func whoeverTakesThePiecesCanEndIt() {
        var chunks = ChunkedBody()
        var pieces: [String] = []
        let progress = withBytes(of: "1\r\na\r\n1\r\nb\r\n0\r\n\r\n") { view in
            chunks.feed(view) { piece in
                pieces.append(piece.string ?? "")
                return false
            }
        }
        #expect(progress == .more)
        #expect(pieces == ["a"])
        #expect(!chunks.isComplete)
    }
}
