import HankoCore
import Testing

@Suite struct ResponseHeadTests {
    /// The head after these lines, each with its line end.
    private static func head(_ lines: String...) -> ResponseHead {
        var head = ResponseHead()
        for line in lines { _ = withBytes(of: line + "\r\n") { head.receive($0) } }
        return head
    }

    @Test func beforeTheFirstLineThereIsNothing() {
        let head = ResponseHead()
        #expect(!head.hasBegun && !head.isComplete && !head.isTooLarge)
        #expect(head.status == 0)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK", 200), ("HTTP/1.1 200", 200), ("HTTP/1.1 200 ", 200), ("HTTP/1.0 404 Not Found", 404),
        ("HTTP/2 503", 503), ("HTTP/1.1 999 Odd", 999), ("HTTP/1.1 000 Odd", 0), ("HTTP/1.1 20", 0), ("HTTP/1.1", 0),
        ("HTTP/1.1 OK", 0), ("HTTP/1.1 -20 x", 0), ("HTTP/1.1 2 00", 0), ("HTTP/1.1  200", 0), ("HTTP/", 0),
        ("HTTP/1.1\t200 OK", 0),
    ])
    func theStatusIsThatOfTheFirstLine(_ line: String, _ status: Int) {
        let head = Self.head(line)
        #expect(head.status == status)
        #expect(head.hasBegun)
        #expect(!head.isComplete)
    }

    @Test func anEmptyLineCompletesTheHead() {
        var head = Self.head("HTTP/1.1 200 OK", "Content-Type: application/json")
        #expect(!head.isComplete)
        #expect(withBytes(of: "\r\n") { head.receive($0) } == .complete)
        #expect(head.isComplete)
        var bare = Self.head("HTTP/1.1 200 OK")
        #expect(withBytes(of: "\n") { bare.receive($0) } == .complete)
    }

    @Test(arguments: [100, 102, 103, 199])
    func interimAnswersAreFollowedByAnother(_ status: Int) {
        let interim = Self.head("HTTP/1.1 \(status) Interim", "")
        #expect(!interim.isComplete)
        let head = Self.head(
            "HTTP/1.1 \(status) Interim", "Content-Length: 1", "Date: Sun, 06 Nov 1994 08:49:37 GMT",
            "Transfer-Encoding: chunked", "", "HTTP/1.1 200 OK", "Content-Length: 2", "")
        #expect(head.status == 200)
        #expect(head.isComplete)
        // What an interim answer said is not said of the final one.
        #expect(!head.contentLengthsDiffer)
        #expect(!head.isChunked)
        #expect(head.date == nil)
    }

    @Test func switchingProtocolsIsTheEnd() {
        #expect(Self.head("HTTP/1.1 101 Switching Protocols", "").isComplete)
    }

    @Test func aHeadWithoutAStatusIsNeverComplete() {
        #expect(!Self.head("HTTP/1.1 nonsense", "").isComplete)
        #expect(!Self.head("Content-Type: text/plain", "").isComplete)
    }

    @Test(arguments: [
        (["Content-Length: 5"], false),
        (["Content-Length: 5", "Content-Length: 5"], false),
        (["Content-Length: 5", "content-length:5"], false),
        (["Content-Length: 5", "Content-Length:   5\t"], false),
        (["Content-Length: 5", "Content-Length: 05"], false),
        (["Content-Length: 5", "X-Content-Length: 6"], false),
        (["Content-Length: 5", "Content-Length: 6"], true),
        (["Content-Length: 5", "CONTENT-LENGTH: 6"], true),
        (["Content-Length: 5", "Date: x", "Content-Length: 6"], true),
        (["Content-Length: 5", "Content-Length: 6", "Content-Length: 5"], true),
        (["Content-Length: 5", "Content-Length: x"], true),
        (["Content-Length: x", "Content-Length: 5"], true),
        (["Content-Length: x", "Content-Length: x"], true),
        (["Content-Length: 5", "Content-Length:"], true),
        (["Content-Length: 5", "Content-Length: -5"], true),
        (["Content-Length: 5", "Content-Length: 99999999999999999999"], true),
    ])
    func lengthsThatDifferAreSeen(_ fields: [String], _ differ: Bool) {
        var head = Self.head("HTTP/1.1 200 OK")
        for field in fields { _ = withBytes(of: field + "\r\n") { head.receive($0) } }
        #expect(head.contentLengthsDiffer == differ)
    }

    @Test func whatComesAfterTheHeadChangesNothing() {
        let head = Self.head(
            "HTTP/1.1 200 OK", "Content-Length: 5", "", "Content-Length: 6", "Transfer-Encoding: chunked",
            "HTTP/1.1 500 Late", "Date: Sun, 06 Nov 1994 08:49:37 GMT", "")
        #expect(head.status == 200)
        #expect(!head.contentLengthsDiffer)
        #expect(!head.isChunked)
        #expect(head.date == nil)
        #expect(head.isComplete)
    }

    @Test(arguments: [
        ("Transfer-Encoding: chunked", true), ("transfer-encoding:CHUNKED", true),
        ("Transfer-Encoding: gzip, chunked", true),
        ("Transfer-Encoding: gzip ,\tchunked ", true), ("Transfer-Encoding: gzip", false),
        ("Transfer-Encoding:", false),
        ("Transfer-Encoding: chunked, gzip", false), ("Transfer-Encoding: chunkedx", false),
        ("Transfer-Encoding: xchunked", false), ("TE: chunked", false), ("X-Transfer-Encoding: chunked", false),
    ])
    func chunkedIsTheLastOfTheCodings(_ field: String, _ isChunked: Bool) {
        #expect(Self.head("HTTP/1.1 200 OK", field).isChunked == isChunked)
    }

    @Test(
        arguments: [
            ("Date: Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("date:Sun, 06 Nov 1994 08:49:37 GMT  ", 784_111_777),
            ("DATE: Sun, 22 Nov 2026 13:00:34 GMT", 1_795_352_434),
            // The two obsolete forms of RFC 9110 section 5.6.7.
            ("Date: Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Date: Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Date:", nil),
            ("Date: now", nil),
            ("Date: 784111777", nil),
            ("Date: yesterday or the day before", nil),
            ("X-Date: Sun, 06 Nov 1994 08:49:37 GMT", nil),
            ("Date Sun, 06 Nov 1994 08:49:37 GMT", nil),
            ("Date: Sun, 06 Nov 1994 08:49:37 GMT and very much more of it", nil),
        ] as [(String, Int64?)])
    func theDateIsRead(_ field: String, _ date: Int64?) {
        #expect(Self.head("HTTP/1.1 200 OK", field).date == date)
    }

    @Test func linesThatAreNoFieldsAreOfNoMatter() {
        let head = Self.head("HTTP/1.1 200 OK", "no colon", ":", ": x", "a:", "\u{1}\u{2}", "é: é", "")
        #expect(head.status == 200)
        #expect(head.isComplete)
    }

    @Test func allHeadsTogetherHaveALimit() {
        #expect(ResponseHead.maximumLength == 65_536)
        var head = ResponseHead()
        let first = Array("HTTP/1.1 200 OK\r\n".utf8)
        #expect(withBytes(first) { head.receive($0) } == .incomplete)
        let rest = 65_536 - first.count - 2
        #expect(withBytes([UInt8](repeating: 0x61, count: rest)) { head.receive($0) } == .incomplete)
        var complete = head
        #expect(withBytes(of: "\r\n") { complete.receive($0) } == .complete)
        #expect(!complete.isTooLarge)
        #expect(withBytes(of: "a\r\n") { head.receive($0) } == .tooLarge)
        #expect(head.isTooLarge)
        #expect(!head.isComplete)
    }

    @Test func endlessInterimAnswersReachTheLimit() {
        var head = ResponseHead()
        var rounds = 0
        while !head.isTooLarge, rounds < 10_000 {
            _ = withBytes(of: "HTTP/1.1 103 Early Hints\r\n") { head.receive($0) }
            _ = withBytes(of: "\r\n") { head.receive($0) }
            rounds += 1
        }
        #expect(head.isTooLarge)
        #expect(rounds == 65_536 / 28 + 1)
    }
}
