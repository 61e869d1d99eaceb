import HankoCore
import Testing

@Suite struct JSONWriterTests {
    /// What the writer makes of a text; nil when it did not make room for all of it.
    private static func written(_ text: [UInt8]) -> [UInt8]? {
        withBytes(text) { view in
            var buffer = SecretBuffer()
            guard JSONWriter.appendString(view, to: &buffer), !buffer.hasOverflowed else { return nil }
            return buffer.withView { $0.bytes() }
        }
    }

    @Test(arguments: [
        ("", #""""#),
        ("plain", #""plain""#),
        ("\"", #""\"""#),
        ("\\", #""\\""#),
        ("a\"b\\c", #""a\"b\\c""#),
        ("/", #""/""#),
        ("'<>&", #""'<>&""#),
        ("\u{7F}", "\"\u{7F}\""),
        ("\u{2028}", "\"\u{2028}\""),
        ("é€😀", "\"é€😀\""),
        ("\u{0}", #""\u0000""#),
        ("\n", #""\u000a""#),
        ("\u{1F}", #""\u001f""#),
        ("\\u0041", #""\\u0041""#),
    ])
    func onlyWhatMustBeIsEscaped(_ text: String, _ expected: String) {
        #expect(Self.written(Array(text.utf8)) == Array(expected.utf8))
    }

    @Test(arguments: UInt8(0)..<0x20)
    func everyControlCharacterIsEscapedAndReadBack(_ byte: UInt8) throws {
        let written = try #require(Self.written([0x61, byte, 0x62]))
        #expect(written.allSatisfy { $0 >= 0x20 })
        #expect(JSONTrace.string(written) { $0.bytes() } == [0x61, byte, 0x62])
    }

    @Test func everyOtherASCIICharacterIsReadBack() throws {
        for byte in UInt8(0x20)...0x7F {
            let written = try #require(Self.written([byte]))
            #expect(JSONTrace.string(written) { $0.bytes() } == [byte], "\(byte)")
        }
    }

    /// Memory comes in steps of 1,024 and its doubles: too little for even one byte is seen where a text ends at one.
    @Test func thereIsRoomWhereverTheTextEnds() throws {
        var generator = SeededGenerator(seed: 1)
        let characters = ["a", "\"", "\\", "\n", "\0", "\u{1F}", "\u{7F}", "é", "€", "😀"]
        var lengths = Set<Int>()
        for round in 0..<1_000 {
            let head = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                characters.randomElement(using: &generator) ?? ""
            }
            let text = Array(head.joined().utf8)
            let written = try #require(Self.written(text))
            #expect(JSONTrace.string(written) { $0.bytes() } == text)

            let filling = [UInt8](repeating: 0x61, count: max(0, 1_024 - written.count + round % 7 - 3))
            let atTheStep = try #require(Self.written(text + filling), "\(written.count + filling.count)")
            #expect(atTheStep.count == written.count + filling.count)
            lengths.insert(atTheStep.count)
        }
        #expect(lengths == Set(1_021...1_027))
    }

    @Test func whatIsThereStays() {
        var buffer = SecretBuffer()
        var hasRoom = buffer.reserve(16)
        buffer.append(ByteView("{\"a\":"))
        hasRoom = JSONWriter.appendString(ByteView("b"), to: &buffer) && hasRoom
        buffer.append(0x7D)
        let written = buffer.withView { $0.string }
        #expect(hasRoom)
        #expect(written == #"{"a":"b"}"#)
    }

    @Test func aLongTokenIsWrittenWhole() throws {
        let token = [UInt8](repeating: 0x22, count: 100_000)
        let written = try #require(Self.written(token))
        #expect(written.count == 200_002)
        #expect(JSONTrace.string(written) { $0.bytes() } == token)
    }
}
