@testable import HankoCore
import Testing

@Suite struct TokenPayloadTests {
    private static func payload(_ token: String) -> String? {
        withBytes(of: token) { view in
            var buffer = SecretBuffer()
            guard TokenPayload.decode(view, into: &buffer) else { return nil }
            return buffer.withView { $0.string }
        }
    }

    @Test(arguments: [
        ("aGVhZA.Zm9v.c2ln", "foo"),
        ("aGVhZA.e30.c2ln", "{}"),
        ("aGVhZA.Zm9v.", "foo"),
        (".Zm9v.c2ln", "foo"),
        (".Zm9v.", "foo"),
        ("..", ""),
        ("a..b", ""),
        ("not base64!.Zm9v.not base64!", "foo"),
        (" aGVhZA.Zm9v.c2ln", "foo"),
        ("aGVhZA.Zm9v.c2ln\n", "foo"),
        ("\t\n\u{B}\u{C}\r aGVhZA.Zm9v.c2ln\t\n\u{B}\u{C}\r ", "foo"),
    ])
    func thePayloadIsBetweenTheDots(_ token: String, _ payload: String) {
        #expect(Self.payload(token) == payload)
    }

    @Test(arguments: [
        "", ".", "...", "test-token", "Zm9v", "a.Zm9v", "a.Zm9v.b.c", "a.Zm9v.b.", "a.b.c.d.e", "a.Z.b", "a.Zm9v=.b",
        "a.Zg==.b", "a.Zm+v.b", "a. Zm9v.b", "a.Zm9v .b", "a.Zm\n9v.b", "   ", "a.é.b",
    ])
    func otherTokensHaveNone(_ token: String) {
        #expect(Self.payload(token) == nil)
    }

    @Test func aLongPayloadIsDecodedWhole() {
        let text = String(repeating: "0123456789", count: 19_000)
        let token = Judge.token(payload: text)
        #expect(token.count < SessionToken.maximumLength)
        #expect(Self.payload(String(decoding: token, as: UTF8.self)) == text)
    }
}
