import HankoCore
import Testing

@Suite struct Base64URLTests {
    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        withBytes(text) { view in
            var buffer = SecretBuffer()
            guard (try? Base64URL.decode(view, into: &buffer)) != nil, !buffer.hasOverflowed else { return nil }
            return buffer.withView { $0.bytes() }
        }
    }

    private static func decoded(_ text: String) -> [UInt8]? { decoded(Array(text.utf8)) }

    /// RFC 4648 section 10, without the padding.
    @Test(arguments: [
        ("", ""), ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9vYmE", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ])
    func theVectorsOfTheRFC(_ encoded: String, _ text: String) {
        #expect(Self.decoded(encoded) == Array(text.utf8))
    }

    @Test func theTwoLettersOfTheAlphabetForURLs() {
        #expect(Self.decoded("-_-_") == [0xFB, 0xFF, 0xBF])
        #expect(Self.decoded("__8") == [0xFF, 0xFF])
        #expect(Self.decoded("AAAA") == [0, 0, 0])
    }

    @Test(arguments: [
        "A", "Zm9vY", "Zg==", "Zg=", "Zm8=", "Zm9v=", "=", "+/+/", "Zm9v\n", "Zm 9v", " Zg", "Zm.v", "Zmé",
    ])
    func everythingElseIsRefused(_ text: String) {
        #expect(Self.decoded(text) == nil)
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    @Test func onlySixtyFourBytesAreLetters() {
        for byte in UInt8(0)...0xFF {
            for length in [4, 8, 64, 65 + 3, 200] {
                for position in Set([0, length / 2, length - 1]) {
                    var text = [UInt8](repeating: 0x41, count: length)
                    text[position] = byte
                    let isText = Self.letters.contains(byte)
                    #expect((Self.decoded(text) != nil) == isText, "\(byte) at \(position) of \(length)")
                    #expect(withBytes(text) { Base64URL.isValid($0) } == isText, "\(byte) at \(position) of \(length)")
                }
            }
        }
    }

    /// The bits of the last letter that stand for nothing are zero: one text for the same bytes, and no other.
    @Test func theLastLetterHasNoStrayBits() {
        for length in [2, 3, 66, 67, 130, 131] {
            for (value, letter) in Self.letters.enumerated() {
                let text = [UInt8](repeating: 0x41, count: length - 1) + [letter]
                let isWhole = value % (length % 4 == 2 ? 16 : 4) == 0
                #expect((Self.decoded(text) != nil) == isWhole, "\(value) of \(length)")
                #expect(withBytes(text) { Base64URL.isValid($0) } == isWhole, "\(value) of \(length)")
            }
        }
        #expect(withBytes([]) { Base64URL.isValid($0) })
        for length in [1, 5, 65, 129] {
            #expect(!withBytes([UInt8](repeating: 0x41, count: length)) { Base64URL.isValid($0) })
        }
    }

    @Test func whatIsEncodedComesBack() {
        var generator = SeededGenerator(seed: 64)
        for length in Array(0...70) + [1_000, 10_001] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...0xFF, using: &generator) }
            #expect(Self.decoded(Judge.base64URL(bytes)) == bytes, "\(length)")
        }
    }

    @Test func theBytesAreAppended() throws {
        var buffer = SecretBuffer()
        try Base64URL.decode(ByteView("Zm9v"), into: &buffer)
        try Base64URL.decode(ByteView("YmFy"), into: &buffer)
        let text = buffer.withView { $0.string }
        #expect(text == "foobar")
    }
}
