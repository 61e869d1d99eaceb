import HankoCore
import Testing

@Suite struct JSONWriterTests {
    /// What the writer makes of a text, and the length that it announced for it.
    private static func written(_ text: [UInt8]) -> (bytes: [UInt8], announced: Int, hasOverflowed: Bool) {
        withBytes(text) { view in
            let length = JSONWriter.stringLength(of: view)
            var buffer = SecretBuffer()
            let hasRoom = JSONWriter.appendString(view, to: &buffer)
            return (buffer.withView { $0.bytes() }, length, !hasRoom || buffer.hasOverflowed)
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
        #expect(Self.written(Array(text.utf8)).bytes == Array(expected.utf8))
    }

    @Test(arguments: UInt8(0)..<0x20)
    func everyControlCharacterIsEscapedAndReadBack(_ byte: UInt8) {
        let written = Self.written([0x61, byte, 0x62])
        #expect(written.bytes.allSatisfy { $0 >= 0x20 })
        #expect(JSONTrace.string(written.bytes) { $0.bytes() } == [0x61, byte, 0x62])
    }

    @Test func everyOtherASCIICharacterIsReadBack() {
        for byte in UInt8(0x20)...0x7F {
            #expect(JSONTrace.string(Self.written([byte]).bytes) { $0.bytes() } == [byte], "\(byte)")
        }
    }

    @Test func theAnnouncedLengthIsThatOfWhatIsWritten() {
        var generator = SeededGenerator(seed: 1)
        let characters = ["a", "\"", "\\", "\n", "\0", "\u{1F}", "\u{7F}", "é", "€", "😀"]
        var lengths = Set<Int>()
        for _ in 0..<500 {
            let length = Int.random(in: 0...60, using: &generator)
            let text = (0..<length).map { _ in characters.randomElement(using: &generator) ?? "" }.joined()
            let written = Self.written(Array(text.utf8))
            #expect(written.bytes.count == written.announced)
            #expect(!written.hasOverflowed)
            #expect(JSONTrace.string(written.bytes) { $0.bytes() } == Array(text.utf8))
            lengths.insert(written.announced)
        }
        #expect(lengths.count > 50)
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

    @Test func aLongTokenIsWrittenWhole() {
        let token = [UInt8](repeating: 0x22, count: 100_000)
        let written = Self.written(token)
        #expect(written.announced == 200_002)
        #expect(JSONTrace.string(written.bytes) { $0.bytes() } == token)
    }
}
