import HankoCore
import Testing

@Suite struct ResponseReaderTests {
    private static let json = #"{"is_valid":true}"#
    private static let ownID = "0123456789abcdeffedcba9876543210"

    /// An answer with these fields before its body of 17 bytes.
    private static func answer(_ fields: String..., status: String = "HTTP/1.1 200 OK") -> String {
        ([status] + fields).joined(separator: "\r\n") + "\r\n\r\n" + json
    }

    private static func chunked(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    }

    private static let hanko = """
        HTTP/1.1 200 OK\r
        Content-Type: application/json\r
        Vary: Origin\r
        X-Request-Id: \(ownID)\r
        Date: Sun, 22 Nov 2026 13:00:34 GMT\r
        Content-Length: 19\r
        \r
        {"is_valid":false}

        """

    // MARK: An answer as Hanko sends it

    @Test func beforeTheFirstByteThereIsNothing() {
        let outcome = ReaderOutcome(of: "")
        #expect(outcome.progress == .more)
        #expect(outcome.status == 0 && !outcome.hasBegun && !outcome.mayKeep)
    }

    @Test func anAnswerOfHankoIsRead() {
        let outcome = ReaderOutcome(of: Self.hanko)
        #expect(outcome.progress == .complete)
        #expect(outcome.status == 200)
        #expect(outcome.text == "{\"is_valid\":false}\n")
        #expect(outcome.echo == .own)
        #expect(outcome.date == 1_795_352_434)
        #expect(outcome.mayKeep && !outcome.hasSurplus && outcome.hasBegun)
    }

    @Test func oneReaderReadsOneAnswerAfterTheOther() {
        var reader = ResponseReader(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(Array(Self.chunked("5\r\nhello\r\n0\r\n\r\n").utf8), to: &reader)
        #expect(ReaderOutcome(reader).text == "hello")
        reader.reset(expecting: RequestID(high: 1, low: 2))
        #expect(ReaderOutcome(reader) == ReaderOutcome(of: ""))
        ReaderOutcome.feed(Array("HTTP/1.1 100 Continue\r\nAge: 1\r\n\r\nHTTP/1.".utf8), to: &reader)
        reader.reset(expecting: RequestID(high: 1, low: 2))
        ReaderOutcome.feed(Array(Self.hanko.utf8), to: &reader)
        var expected = ReaderOutcome(of: Self.hanko)
        expected.echo = .other
        #expect(ReaderOutcome(reader) == expected)
    }

    @Test func erasingTakesTheBodyAndNothingElse() {
        var reader = ResponseReader(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(Array(Self.hanko.utf8), to: &reader)
        reader.erase()
        var expected = ReaderOutcome(of: Self.hanko)
        expected.body = []
        #expect(ReaderOutcome(reader) == expected)
    }

    // MARK: However the bytes are cut

    private static let wires: [String] = [
        hanko,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + hanko,
        hanko + "x", hanko + hanko,
        chunked("5;a=b\r\nhello\r\n1 \t\r\n!\r\n0\r\nA: b\r\nC:\r\n\r\n"),
        chunked("5\r\nhello\r\n0\r\n\r\n") + "more",
        chunked("5\r\nhellO!"), chunked("5\nhello"), chunked("x"),
        "HTTP/1.1 503 Gone\r\nContent-Length: 3\r\nRetry-After: 7\r\n\r\nabc",
        "HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nx",
        "HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd",
        "HTTP/1.1 200 OK\r\n\r\nuntil close",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\nx",
        "HTTP/1.1 101 Switching\r\n\r\nanything",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
        "SSH-2.0-OpenSSH_9.2\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "H\r", "HTTP/1.1 100 \r\n\r\nHTTP\r",
    ]

    @Test(arguments: wires, [false, true])
    func everyCutGivesTheSame(_ text: String, _ ended: Bool) {
        let wire = Array(text.utf8)
        let whole = ReaderOutcome(of: wire, ended: ended)
        #expect(ReaderOutcome(of: wire, ended: ended) { _ in 1 } == whole)
        for cut in 0...wire.count {
            let inTwo = ReaderOutcome(of: wire, ended: ended) { $0 == 0 ? max(1, cut) : .max }
            #expect(inTwo == whole, "cut at \(cut)")
            let inThree = ReaderOutcome(of: wire, ended: ended) { $0 == 0 ? max(1, cut) : $0 == 1 ? 2 : .max }
            #expect(inThree == whole, "cut at \(cut) and two behind it")
        }
    }

    @Test(arguments: [65_535, 65_536, 65_537], [0, 1, 2])
    func everyCutAroundTheLimitOfTheHeadGivesTheSame(_ length: Int, _ kind: Int) {
        let start = kind == 1 ? "HTTP/1.1 200 OK\r\nA" : "HTTP/1.1 200 OK\r\nA: "
        let end = kind == 2 ? "\r\n\nX" : "\r\n\r\n"
        let fill = [UInt8](repeating: 0x61, count: length - start.utf8.count - end.utf8.count)
        let wire = Array(start.utf8) + fill + Array(end.utf8) + Array("abc".utf8)
        let whole = ReaderOutcome(of: wire)
        for size in [1, 7, 4096, 65_535, 65_536] {
            #expect(ReaderOutcome(of: wire) { _ in size } == whole, "\(size)")
        }
        if kind == 0, length > 65_536 { #expect(whole.progress == .failed(.headTooLarge)) }
        if kind == 0, length == 65_536 { #expect(whole.progress == .more) }
    }

    // MARK: The status line

    @Test(arguments: [
        ("HTTP/1.1 200 OK", 200), ("HTTP/1.1 200 ", 200), ("HTTP/1.1 200", 200), ("HTTP/1.0 200 OK", 200),
        ("HTTP/1.9 200 OK", 200), ("HTTP/1.1 200  two blanks", 200), ("HTTP/1.1 200 \u{E9}t\u{E9} \t\u{1}", 200),
        ("HTTP/1.1 404 Not Found", 404), ("HTTP/1.1 999 Odd", 999), ("HTTP/1.1 600", 600),
    ])
    func aStatusLineIsTaken(_ line: String, _ status: Int) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: 17", status: line))
        #expect(outcome.progress == .complete)
        #expect(outcome.status == status)
    }

    @Test(arguments: [
        "HTTP/2 200", "HTTP/2.0 200 OK", "http/1.1 200 OK", "Http/1.1 200 OK", "HTTP/a.b 200", "HTTP/1.a 200 OK",
        "HTTP/0.9 200 OK", "HTTP/1.10 200 OK", "HTTP/01.1 200 OK", "HTTP/1,1 200 OK", "HTTP/1. 200 OK", "HTTP/1 200 OK",
        "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 20", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
        "HTTP/1.1 2x0 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 200OK", "HTTP/1.1 000 OK", "HTTP/1.1 099 OK",
        "HTTP/1.1 OK", "HTTP/1.1", "HTTP/1.1 ", " HTTP/1.1 200 OK", "\tHTTP/1.1 200 OK", "", "\r\nHTTP/1.1 200 OK",
        "\nHTTP/1.1 200 OK", "ICY 200 OK", "HTTPS/1.1 200 OK", "HTTP /1.1 200 OK", "HTTP/1.1 200 O\rK",
        "HTTP/1.1 200 O\0K", "HTTP/1.1 200 O\nK", "HTTP/1.1 \u{661}\u{662}\u{663} OK", "Content-Length: 17",
        #"{"is_valid":true}"#,
    ])
    func whatIsNoStatusLineIsRefused(_ line: String) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: 17", status: line))
        #expect(outcome.progress == .failed(.notHTTP))
        #expect(!outcome.mayKeep)
    }

    @Test(arguments: ["S", "H ", "HTTP/2", "http", "HTTP/1\n", "\u{16}\u{3}\u{3}", "220 ready"])
    func whoSpeaksSomethingElseIsNotWaitedFor(_ start: String) {
        #expect(ReaderOutcome(of: start).progress == .failed(.notHTTP))
        #expect(ReaderOutcome(of: "HTTP/1.1 100 Continue\r\n\r\n" + start).progress == .failed(.notHTTP))
    }

    // MARK: Fields

    @Test(arguments: [
        "A: b", "A:b", "A:", "A: ", "A:  \t b \t ", "!#$%&'*+-.^_`|~09azAZ: x", "A: b: c", "A: \"q\\\"\"", "A: \u{E9}",
        "A: \u{1}\u{B}\u{C}\u{7F}", "Set-Cookie: a=b; Path=/", "X-Content-Length: 5", "Content-Lengths: 5",
        "Content-Length-: x", "Content_Length: 5", "a-name-of-more-than-sixteen-letters-1: x", "12345678: x",
        "Content-Encoding: identity", "Content-Encoding: Identity", "Content-Encoding:", "Keep-Alive: timeout=5",
        "Connection: keep-alive", "TE: gzip", "Trailer: X", "Upgrade: h2c",
    ])
    func aFieldIsPassedOver(_ field: String) {
        let outcome = ReaderOutcome(of: Self.answer(field, "Content-Length: 17"))
        #expect(outcome.progress == .complete)
        #expect(outcome.text == Self.json)
        #expect(outcome.mayKeep)
    }

    @Test(arguments: [
        "A : b", "A\t: b", " A: b", "\tA: b", ": b", "no colon", "A", " ", "A b: c", "A\u{E9}: b", "\u{E9}: b", "A(: b",
        "A/b: c", "A\u{1}: b", "A\u{7F}: b", "A@: b", "[A]: b", "A: b\r", "\rA: b", "A: b\rc", "A: b\0", "A\0: b",
        "A: \0",
        "A: b\nC: d", "A: b\n", "\nA: b", "A: b\r\n folded", "A: b\r\n\tfolded", "A: b\r\n : c",
        "Content-Length : 17", "Content-Length\u{A0}: 17", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa a: b",
        "Content-Length\0: 17", "Content-Length: 17\0", "Content-Length: 17\r ",
    ])
    func aLineThatIsNoFieldIsRefused(_ field: String) {
        for outcome in [
            ReaderOutcome(of: Self.answer(field, "Content-Length: 17")),
            ReaderOutcome(of: Self.answer("Content-Length: 17", field)),
            ReaderOutcome(of: Self.answer("Content-Length: 17", field, status: "HTTP/1.1 503 Gone")),
        ] {
            #expect(outcome.progress == .failed(.notHTTP))
            #expect(!outcome.mayKeep && outcome.body.isEmpty)
        }
    }

    @Test(
        arguments: [
            ("Date: Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("date:Sun, 06 Nov 1994 08:49:37 GMT \t", 784_111_777),
            ("DATE: Sun, 22 Nov 2026 13:00:34 GMT", 1_795_352_434),
            ("Date: Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Date: Sunday, 22-Nov-26 13:00:34 GMT", 1_795_352_434),
            ("Date: Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Date: Sun Nov 22 13:00:34 2026", 1_795_352_434),
            ("Date:", nil), ("Date: now", nil), ("Date: 784111777", nil),
            ("X-Date: Sun, 06 Nov 1994 08:49:37 GMT", nil),
            ("Date: Someday, 06-Nov-94 08:49:37 GMT", nil), ("Date: Sunday, 06-Nov-94 08:49:37 UTC", nil),
            ("Date: Sun Nov  6 08:49:37 1894", nil), ("Date: Sun Nov 31 08:49:37 1994", nil),
            ("Date: Sunday, 06 Nov 94 08:49:37 GMT", nil), ("Date: Sun Nov  6 08:49:37 19945", nil),
        ] as [(String, Int64?)])
    func theDateIsRead(_ field: String, _ date: Int64?) {
        #expect(ReaderOutcome(of: Self.answer(field, "Content-Length: 17")).date == date)
    }

    @Test(
        arguments: [
            ("Retry-After: 120", .delay(120)), ("retry-after:0", .delay(0)),
            ("Retry-After: 99999999999999999999", .delay(.max)), ("Retry-After: -1", nil), ("Retry-After: soon", nil),
            ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", .date(784_111_777)), ("X-Retry-After: 5", nil),
        ] as [(String, RetryAfter?)])
    func retryAfterIsRead(_ field: String, _ expected: RetryAfter?) {
        let outcome = ReaderOutcome(of: Self.answer(field, "Content-Length: 17", status: "HTTP/1.1 429 Slow"))
        #expect(outcome.retryAfter == expected)
    }

    @Test(
        arguments: [
            (["Age: 0"], 0), (["age:17"], 17), (["Age: 5", "Age: 3"], 5), (["Age: x"], .max), (["Ages: 5"], nil),
            (["Age: 99999999999999999999"], .max), (["Age:"], .max),
        ] as [([String], Int64?)])
    func theAgeIsRead(_ fields: [String], _ age: Int64?) {
        let head = (["HTTP/1.1 200 OK"] + fields).joined(separator: "\r\n")
        #expect(ReaderOutcome(of: head + "\r\nContent-Length: 0\r\n\r\n").age == age)
    }

    // MARK: Whose answer

    @Test(
        arguments: [
            ([], .none), (["X-Request-Id: \(ownID)"], .own), (["x-request-id:\(ownID) "], .own),
            (["X-Request-Id: 0123456789ABCDEFFEDCBA9876543210"], .other), (["X-Request-Id: \(ownID)0"], .other),
            (["X-Request-Id: 0123456789abcdeffedcba987654321"], .other), (["X-Request-Id:"], .other),
            (["X-Request-Id: 0123456789abcdeffedcba9876543211"], .other),
            (["X-Request-Id: 1123456789abcdeffedcba9876543210"], .other),
            (["X-Request-Id: gateway", "X-Request-Id: \(ownID)"], .own),
            (["X-Request-Id: \(ownID)", "X-Request-Id: gateway"], .own),
            (["X-Request-Id: a", "X-Request-Id: b"], .other), (["X-Request-Ids: \(ownID)"], .none),
            (["X-Correlation: \(ownID)"], .none),
        ] as [([String], RequestIDEcho)])
    func theEchoIsSeen(_ fields: [String], _ echo: RequestIDEcho) {
        let head = (["HTTP/1.1 200 OK"] + fields).joined(separator: "\r\n")
        #expect(ReaderOutcome(of: head + "\r\nContent-Length: 0\r\n\r\n").echo == echo)
    }

    // MARK: Content-Length

    @Test(arguments: ["17", "017", "  17\t", "00000000000000000000000017"])
    func aLengthIsRead(_ length: String) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length:\(length)"))
        #expect(outcome.progress == .complete)
        #expect(outcome.text == Self.json)
        #expect(outcome.mayKeep)
    }

    @Test(arguments: [
        "17, 999", "17,17", "17, 17", "+17", "-17", "17abc", "17 999", "17;", "17.0", "0x11", "1e1", "", "x", ",17",
        "17,",
        "9223372036854775808", "18446744073709551633", "99999999999999999999999", "\u{661}\u{667}", "17\u{A0}",
        "\"17\"",
    ])
    func aBrokenLengthIsRefused(_ length: String) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: \(length)"))
        #expect(outcome.progress == .failed(.brokenContentLength))
        #expect(!outcome.mayKeep && outcome.body.isEmpty)
        // The status says all that is needed; but where the answer ends is not known.
        let other = ReaderOutcome(of: Self.answer("Content-Length: \(length)", status: "HTTP/1.1 503 Gone"))
        #expect(other.progress == .complete)
        #expect(other.status == 503 && !other.mayKeep)
    }

    @Test(arguments: [("17", "17"), ("17", "18"), ("18", "17"), ("17", "x"), ("x", "17"), ("17", "")])
    func twoLengthsAreRefused(_ first: String, _ second: String) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: \(first)", "A: b", "content-length: \(second)"))
        #expect(outcome.progress == .failed(.brokenContentLength))
    }

    @Test func theVerdictLearnsOfABrokenLength() {
        var reader = ResponseReader(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(Array(Self.answer("Content-Length: 17, 999").utf8), to: &reader)
        #expect(reader.withAnswer { $0.hasBrokenLength && $0.status == 200 })
    }

    @Test func theVerdictLearnsOfAnEncodedBody() {
        var reader = ResponseReader(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(Array(Self.answer("Content-Encoding: gzip", "Content-Length: 17").utf8), to: &reader)
        #expect(reader.withAnswer { $0.isEncoded && $0.status == 200 && !$0.hasBrokenLength })
    }

    @Test func aLengthBeyondTheLimitIsRefusedAtOnce() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: "
        #expect(ReaderOutcome(of: head + "262144\r\n\r\n").progress == .more)
        #expect(ReaderOutcome(of: head + "262145\r\n\r\n").progress == .failed(.bodyTooLarge))
        #expect(ReaderOutcome(of: head + "9223372036854775807\r\n\r\n").progress == .failed(.bodyTooLarge))
        let largest = ReaderOutcome(
            of: Array((head + "262144\r\n\r\n").utf8) + [UInt8](repeating: 0x61, count: 262_144))
        #expect(largest.progress == .complete && largest.body.count == 262_144 && largest.mayKeep)
    }

    @Test func aShorterBodyIsCutShort() {
        #expect(ReaderOutcome(of: Self.answer("Content-Length: 18")).progress == .more)
        #expect(ReaderOutcome(of: Self.answer("Content-Length: 18"), ended: true).progress == .failed(.bodyCutShort))
    }

    // MARK: Transfer-Encoding

    @Test(arguments: [
        "x, chunked", "gzip, chunked", "chunked, gzip", "gzip", "identity", "", "chunked, chunked", "chunked,",
        ", chunked",
        "chunked;q=1", "chunkedchunked", "chunke", "xchunked", "chunked\u{B}", "\"chunked\"", "chunked chunked",
    ])
    func anythingButChunkedIsRefused(_ coding: String) {
        for fields in [["Transfer-Encoding: \(coding)"], ["Transfer-Encoding: \(coding)", "Content-Length: 17"]] {
            let head = (["HTTP/1.1 200 OK"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
            #expect(ReaderOutcome(of: head + Self.json).progress == .failed(.brokenTransferEncoding))
            #expect(ReaderOutcome(of: head + "0\r\n\r\n").progress == .failed(.brokenTransferEncoding))
            let other = ReaderOutcome(
                of: "HTTP/1.1 503 Gone\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n0\r\n\r\n")
            #expect(other.progress == .complete && !other.mayKeep)
        }
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    ])
    func twoTransferEncodingsAreRefused(_ fields: String) {
        let outcome = ReaderOutcome(of: "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n0\r\n\r\n")
        #expect(outcome.progress == .failed(.brokenTransferEncoding))
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: x",
    ])
    func chunksWithALengthAreRefused(_ fields: String) {
        let outcome = ReaderOutcome(of: "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n0\r\n\r\n")
        #expect(outcome.progress == .failed(.brokenContentLength))
        let other = ReaderOutcome(of: "HTTP/1.1 503 Gone\r\n\(fields)\r\n\r\n0\r\n\r\n")
        #expect(other.progress == .complete && !other.mayKeep)
    }

    @Test func chunksInHTTP10AreRefused() {
        let outcome = ReaderOutcome(of: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(outcome.progress == .failed(.brokenTransferEncoding))
    }

    @Test(arguments: ["chunked", "CHUNKED", "Chunked", "  chunked\t"])
    func chunkedIsTakenInAnyCase(_ coding: String) {
        let outcome = ReaderOutcome(
            of: "HTTP/1.1 200 OK\r\nTRANSFER-encoding:\(coding)\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        #expect(outcome.progress == .complete && outcome.text == "hello" && outcome.mayKeep)
    }

    // MARK: Chunks

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
        ("00000005\r\nhello\r\n00000000\r\n\r\n", "hello"), ("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("5 \t\r\nhello\r\n0 \r\n\r\n", "hello"), ("5 ; a=\"b;\u{1}\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;\r\nhello\r\n0\r\n\r\n", "hello"), ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
        ("5\r\nhello\r\n0\r\nX-Trailer: x\r\nY:\r\nContent-Length: 99\r\n\r\n", "hello"),
    ])
    func chunksAreRead(_ wire: String, _ body: String) {
        let outcome = ReaderOutcome(of: Self.chunked(wire))
        #expect(outcome.progress == .complete)
        #expect(outcome.text == body)
        #expect(outcome.mayKeep)
    }

    @Test(arguments: [
        "x\r\n", "\r\n", ";\r\n", "-1\r\n", "+5\r\nhello\r\n", " 5\r\nhello\r\n", "0x5\r\nhello\r\n", "5\r\nhelloX",
        "5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\nhello\r\n", "5\rhello", "5\r\nhello\rX", "123456789\r\n",
        "FFFFFFFFFFFFFFFFF\r\n", "000000005\r\nhello\r\n", "5\r\nhello\r\nx\r\n", "5 5\r\n", "5,5\r\n", "5x\r\n",
        "5;a\nb\r\n", "5;a\rb\r\n", "5;a\0\r\n", "0\r\n\n", "0\r\n\rX", "0\r\nA: b\n\r\n", "0\r\nno field\r\n\r\n",
        "0\r\n A: b\r\n\r\n", "0\r\n: b\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\nA: \0\r\n\r\n", "0\r\nA: b\rc\r\n\r\n",
        "0\r\nHTTP/1.1 200 OK\r\n", #"{"is_valid":true}"#,
    ])
    func whatIsNoChunkIsRefused(_ wire: String) {
        let outcome = ReaderOutcome(of: Self.chunked(wire))
        #expect(outcome.progress == .failed(.notHTTP))
        #expect(!outcome.mayKeep && outcome.body.isEmpty)
        // Who does not need the body knows the answer, but not where it ends.
        let other = ReaderOutcome(of: "HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n" + wire)
        #expect(other.progress == .complete && other.status == 503 && !other.mayKeep)
    }

    @Test func chunksThatEndEarlyAreCutShort() {
        let wire = Array(Self.chunked("5;a\r\nhello\r\n0\r\nA: b\r\n\r\n").utf8)
        let head = Self.chunked("").utf8.count
        for length in head..<wire.count {
            let outcome = ReaderOutcome(of: Array(wire[..<length]), ended: true)
            #expect(outcome.progress == .failed(.bodyCutShort), "\(length)")
        }
    }

    @Test func chunksHaveTheLimitOfTheBody() {
        let largest = Array(Self.chunked("3FFFF\r\n").utf8) + [UInt8](repeating: 0x61, count: 262_143)
        let outcome = ReaderOutcome(of: largest + Array("\r\n1\r\na\r\n0\r\n\r\n".utf8))
        #expect(outcome.progress == .complete && outcome.body.count == 262_144)
        #expect(ReaderOutcome(of: largest + Array("\r\n2\r\n".utf8)).progress == .failed(.bodyTooLarge))
        #expect(ReaderOutcome(of: Self.chunked("40000\r\n")).progress == .more)
        #expect(ReaderOutcome(of: Self.chunked("40001\r\n")).progress == .failed(.bodyTooLarge))
        #expect(ReaderOutcome(of: Self.chunked("ffffffff\r\n")).progress == .failed(.bodyTooLarge))
    }

    @Test(arguments: ["1;", "0\r\nA:", "1   "])
    func extensionsAndTrailersAreLimitedWithTheHead(_ start: String) {
        let head = Self.chunked("").utf8.count
        let besides = start.utf8.filter { !"10\r\n".utf8.contains($0) }.count
        let filler = start.hasSuffix(" ") ? UInt8(ascii: " ") : UInt8(ascii: "x")
        let end = start.hasPrefix("0") ? "\r\n\r\n" : "\r\na\r\n0\r\n\r\n"
        // The carriage return behind an extension or a trailer counts as well.
        let room = 65_536 - head - besides - (filler == UInt8(ascii: " ") ? 0 : 1)
        for (length, progress) in [
            (room, ResponseReader.Progress.complete), (room + 1, .failed(.headTooLarge)),
            (room + 9999, .failed(.headTooLarge)),
        ] {
            let wire = Array(Self.chunked(start).utf8) + [UInt8](repeating: filler, count: length) + Array(end.utf8)
            for piece in [Int.max, 1, 61, 4096] {
                #expect(ReaderOutcome(of: wire) { _ in piece }.progress == progress, "\(length) in pieces of \(piece)")
            }
        }
    }

    // MARK: Until the connection ends

    @Test func withoutALengthTheEndOfTheConnectionIsTheEnd() {
        #expect(ReaderOutcome(of: Self.answer("A: b")).progress == .more)
        let outcome = ReaderOutcome(of: Self.answer("A: b"), ended: true)
        #expect(outcome.progress == .complete && outcome.text == Self.json && !outcome.mayKeep)
        #expect(ReaderOutcome(of: "HTTP/1.1 200 OK\r\n\r\n", ended: true).progress == .complete)
        let largest = Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + [UInt8](repeating: 0x61, count: 262_144)
        #expect(ReaderOutcome(of: largest, ended: true).progress == .complete)
        #expect(ReaderOutcome(of: largest + [0x61]).progress == .failed(.bodyTooLarge))
        #expect(ReaderOutcome(of: largest + [0x61]) { _ in 5000 }.progress == .failed(.bodyTooLarge))
    }

    @Test func anEndWithoutAnAnswerIsNamed() {
        #expect(ReaderOutcome(of: "", ended: true).progress == .failed(.emptyReply))
        let head = Array("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n".utf8)
        for length in 1..<head.count {
            let outcome = ReaderOutcome(of: Array(head[..<length]), ended: true)
            #expect(outcome.progress == .failed(.connectionLost), "\(length)")
        }
        #expect(ReaderOutcome(of: head, ended: true).progress == .failed(.bodyCutShort))
    }

    @Test func anEndAfterTheAnswerChangesOnlyTheConnection() {
        var expected = ReaderOutcome(of: Self.hanko)
        expected.mayKeep = false
        #expect(ReaderOutcome(of: Self.hanko, ended: true) == expected)
        #expect(ReaderOutcome(of: "nonsense", ended: true).progress == .failed(.notHTTP))
    }

    // MARK: What follows the answer

    @Test(arguments: ["x", "\r\n", "\0", hanko, "HTTP/1.1 200 OK\r\n\r\n{\"is_valid\":true}"])
    func bytesBehindTheEndCloseTheConnectionAndAreNotTheAnswer(_ surplus: String) {
        for answer in [
            Self.hanko, Self.chunked("5\r\nhello\r\n0\r\n\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Gone\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "HTTP/1.1 503 Gone\r\nContent-Length: 0\r\n\r\n",
        ] {
            #expect(ReaderOutcome(of: answer).mayKeep)
            var expected = ReaderOutcome(of: answer)
            expected.mayKeep = false
            expected.hasSurplus = true
            #expect(ReaderOutcome(of: answer + surplus) == expected)
            // As another packet.
            let length = answer.utf8.count
            #expect(ReaderOutcome(of: Array((answer + surplus).utf8)) { $0 == 0 ? length : .max } == expected)
        }
    }

    // MARK: The connection afterwards

    @Test(arguments: [
        "Connection: close", "connection:CLOSE", "Connection: keep-alive, Close", "Connection: close,x",
        "Connection: , close",
        "Connection: x\r\nConnection: close", "Connection: close\r\nConnection: keep-alive",
    ])
    func theServerMayCloseTheConnection(_ field: String) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: 17", field))
        #expect(outcome.progress == .complete && outcome.text == Self.json && !outcome.mayKeep)
    }

    @Test(arguments: [
        "Connection: keep-alive", "Connection: closed", "Connection: x-close", "Connection: \"close\"", "Connection:",
        "Proxy-Connection: close", "Connection: not close",
    ])
    func otherOptionsDoNotCloseIt(_ field: String) {
        #expect(ReaderOutcome(of: Self.answer("Content-Length: 17", field)).mayKeep)
    }

    @Test func connectionsOfHTTP10AreNotKept() {
        let outcome = ReaderOutcome(
            of: Self.answer("Content-Length: 17", "Connection: keep-alive", status: "HTTP/1.0 200 OK"))
        #expect(outcome.progress == .complete && outcome.text == Self.json && !outcome.mayKeep)
    }

    @Test(arguments: [
        (200, true), (201, true), (302, true), (400, true), (401, true), (404, true), (408, false), (413, false),
        (415, true), (429, true), (431, false), (500, true), (503, true), (600, false), (999, false),
    ])
    func theStatusDecidesAsWell(_ status: Int, _ mayKeep: Bool) {
        let outcome = ReaderOutcome(of: Self.answer("Content-Length: 17", status: "HTTP/1.1 \(status) X"))
        #expect(outcome.progress == .complete && outcome.status == status)
        #expect(outcome.mayKeep == mayKeep)
    }

    // MARK: Bodies that nobody needs

    @Test func anUnneededBodyIsReadForTheConnection() {
        let head = "HTTP/1.1 503 Gone\r\nContent-Length: 16384\r\n\r\n"
        let waiting = ReaderOutcome(of: head)
        #expect(waiting.progress == .answered && waiting.status == 503 && !waiting.mayKeep)
        let body = [UInt8](repeating: 0x61, count: 16_384)
        let whole = ReaderOutcome(of: Array(head.utf8) + body)
        #expect(whole.progress == .complete && whole.mayKeep && whole.body.isEmpty)
        let cut = ReaderOutcome(of: Array(head.utf8) + body.dropLast(), ended: true)
        #expect(cut.progress == .complete && cut.status == 503 && !cut.mayKeep)
    }

    @Test(arguments: [
        "Content-Length: 16385", "A: until-close", "Connection: close\r\nContent-Length: 5", "Content-Length: 262145",
    ])
    func aBodyThatKeepsNothingIsNotReadAtAll(_ field: String) {
        let outcome = ReaderOutcome(of: "HTTP/1.1 503 Gone\r\n\(field)\r\n\r\n")
        #expect(outcome.progress == .complete && outcome.status == 503 && !outcome.mayKeep)
    }

    @Test func unneededChunksAreReadUpToTheLimit() {
        let head = Array("HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        // 3FF1 and its line end, the content, a line end and the last chunk: 16,384 bytes.
        func body(_ count: Int) -> [UInt8] {
            Array("\(String(count, radix: 16))\r\n".utf8) + [UInt8](repeating: 0x61, count: count)
                + Array("\r\n0\r\n\r\n".utf8)
        }
        #expect(body(16_371).count == 16_384)
        for piece in [Int.max, 1, 16_384, 1000] {
            let longest = ReaderOutcome(of: head + body(16_371)) { _ in piece }
            #expect(longest.progress == .complete && longest.mayKeep)
            let longer = ReaderOutcome(of: head + body(16_372)) { _ in piece }
            #expect(longer.progress == .complete && !longer.mayKeep && !longer.hasSurplus)
        }
        #expect(ReaderOutcome(of: head).progress == .answered)
        #expect(ReaderOutcome(of: head, ended: true).progress == .complete)
    }

    @Test(arguments: ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"])
    func someAnswersHaveNoBody(_ status: String) {
        let outcome = ReaderOutcome(of: status + "\r\nA: b\r\n\r\n")
        #expect(outcome.progress == .complete && outcome.mayKeep)
        #expect(ReaderOutcome(of: status + "\r\nContent-Length: 0\r\n\r\n").mayKeep)
        // Announced all the same, it may come.
        for field in ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: x"] {
            let announced = ReaderOutcome(of: status + "\r\n\(field)\r\n\r\n")
            #expect(announced.progress == .complete && !announced.mayKeep)
        }
    }

    // MARK: Interim answers

    @Test(arguments: [100, 102, 103, 199])
    func interimAnswersAreFollowedByAnother(_ status: Int) {
        let interim = """
            HTTP/1.1 \(status) Interim\r
            Date: Sun, 06 Nov 1994 08:49:37 GMT\r
            Age: 5\r
            Content-Encoding: gzip\r
            X-Request-Id: \(Self.ownID)\r
            \r

            """
        #expect(ReaderOutcome(of: interim).progress == .more)
        // What an interim answer said is not said of the answer itself.
        let answer = Self.answer("Content-Length: 17")
        #expect(ReaderOutcome(of: interim + answer) == ReaderOutcome(of: answer))
    }

    /// It is a word about the connection, whichever answer says it (RFC 9112 section 9.6).
    @Test func anInterimAnswerMayEndTheConnection() {
        for option in ["close", "keep-alive, Close"] {
            let interim = "HTTP/1.1 102 Processing\r\nConnection: \(option)\r\n\r\n"
            let outcome = ReaderOutcome(of: interim + Self.hanko)
            #expect(outcome.progress == .complete && !outcome.mayKeep)
        }
        #expect(ReaderOutcome(of: "HTTP/1.1 102 Processing\r\nConnection: keep-alive\r\n\r\n" + Self.hanko).mayKeep)
    }

    @Test func interimAnswersAreCounted() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let sixteen = String(repeating: interim, count: 16)
        #expect(ReaderOutcome(of: sixteen + Self.hanko) == ReaderOutcome(of: Self.hanko))
        #expect(ReaderOutcome(of: sixteen + interim).progress == .failed(.notHTTP))
    }

    @Test func interimAnswersCountAsHead() {
        let interim = "HTTP/1.1 103 Hints\r\nA: " + String(repeating: "a", count: 65_000) + "\r\n\r\n"
        #expect(ReaderOutcome(of: interim + Self.hanko).progress == .complete)
        #expect(ReaderOutcome(of: interim + interim).progress == .failed(.headTooLarge))
        #expect(ReaderOutcome(of: Array((interim + interim).utf8)) { _ in 1 }.progress == .failed(.headTooLarge))
    }

    @Test(arguments: ["Content-Length: 5", "Content-Length: x", "Transfer-Encoding: chunked", "Content-Length: 0, 0"])
    func anInterimAnswerHasNoBody(_ field: String) {
        #expect(ReaderOutcome(of: "HTTP/1.1 100 Continue\r\n\(field)\r\n\r\n").progress == .failed(.notHTTP))
        #expect(ReaderOutcome(of: "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + Self.hanko).mayKeep)
    }

    @Test func switchingProtocolsEndsTheConnection() {
        for behind in ["", "anything", Self.hanko] {
            let outcome = ReaderOutcome(of: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + behind)
            #expect(outcome.progress == .complete && outcome.status == 101)
            #expect(!outcome.mayKeep && outcome.body.isEmpty)
        }
    }

    // MARK: Encoded bodies

    @Test(arguments: [
        "gzip", "br", "GZIP", "deflate, gzip", "identity, gzip", "x", "gzip\r\nContent-Encoding: identity",
        "identity\r\nContent-Encoding: gzip",
    ])
    func anEncodedBodyIsNamed(_ coding: String) {
        for end in ["Content-Length: 17", "Transfer-Encoding: chunked", "A: until-close"] {
            let outcome = ReaderOutcome(of: Self.answer("Content-Encoding: \(coding)", end))
            #expect(outcome.progress == .failed(.encodedBody))
            #expect(!outcome.mayKeep && outcome.body.isEmpty)
        }
        let other = ReaderOutcome(
            of: Self.answer("Content-Encoding: \(coding)", "Content-Length: 17", status: "HTTP/1.1 503 Gone"))
        #expect(other.progress == .complete && other.mayKeep)
    }

    // MARK: What a fault is elsewhere

    @Test(
        arguments: [
            (.emptyReply, .emptyReply), (.connectionLost, .connectionLost), (.bodyCutShort, .bodyCutShort),
            (.notHTTP, .notHTTP), (.brokenTransferEncoding, .notHTTP), (.encodedBody, nil),
            (.localShortage, .localShortage), (.headTooLarge, nil), (.bodyTooLarge, nil), (.brokenContentLength, nil),
        ] as [(ResponseFault, TransportFailure?)])
    func everyFaultHasItsPlace(_ fault: ResponseFault, _ failure: TransportFailure?) {
        #expect(fault.failure == failure)
    }

    @Test func theVerdictLearnsOfWhatIsTooLarge() {
        var reader = ResponseReader(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(Array("HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n".utf8), to: &reader)
        #expect(reader.withAnswer { $0.bodyTooLarge && !$0.headTooLarge && !$0.hasBrokenLength })
        reader.reset(expecting: ReaderOutcome.id)
        ReaderOutcome.feed(
            Array("HTTP/1.1 200 OK\r\nA: ".utf8) + [UInt8](repeating: 0x61, count: 70_000), to: &reader)
        #expect(reader.withAnswer { $0.headTooLarge && !$0.bodyTooLarge })
    }
}
