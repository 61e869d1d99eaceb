import HankoCore
import Testing

@Suite struct Base64URLTests {
    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        withBytes(text) { view in
            var buffer = SecretBuffer()
            guard Base64URL.decode(view, into: &buffer), !buffer.hasOverflowed else { return nil }
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

    @Test func onlySixtyFourBytesAreLetters() {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8(0)...0xFF {
            #expect((Self.decoded([0x41, byte]) != nil) == letters.contains(byte), "\(byte)")
        }
    }

    @Test func whatIsEncodedComesBack() {
        var generator = SeededGenerator(seed: 64)
        for length in Array(0...70) + [1_000, 10_001] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...0xFF, using: &generator) }
            #expect(Self.decoded(Judge.base64URL(bytes)) == bytes, "\(length)")
        }
    }

    @Test func theBytesAreAppended() {
        var buffer = SecretBuffer()
        let first = Base64URL.decode(ByteView("Zm9v"), into: &buffer)
        let second = Base64URL.decode(ByteView("YmFy"), into: &buffer)
        let text = buffer.withView { $0.string }
        #expect(first && second)
        #expect(text == "foobar")
    }
}
