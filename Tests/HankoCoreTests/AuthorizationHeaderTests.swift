import HankoCore
import Testing

@Suite struct AuthorizationHeaderTests {
    private static func bearer(_ header: String) -> String? {
        withBytes(of: header) { AuthorizationHeader.bearer($0)?.text() }
    }

    @Test(arguments: [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER abc", "abc"),
        ("bEaReR abc", "abc"),
        ("Bearer   abc", "abc"),
        ("Bearer\tabc", "abc"),
        ("  Bearer abc  ", "abc"),
        ("Bearer abc\t", "abc"),
        ("Bearer a.b.c", "a.b.c"),
        ("Bearer a=b;c", "a=b;c"),
        ("Bearer Bearer", "Bearer"),
        ("Bearer é", "é"),
    ])
    func theCredentialOfTheSchemeIsFound(_ header: String, _ credential: String) {
        #expect(Self.bearer(header) == credential)
    }

    @Test(arguments: [
        "", " ", "Bearer", "Bearer ", "Bearer \t ", "Bearerabc", "Bearer=abc", "Bearer,abc", "Bear abc", "Bearers abc",
        "Basic abc", "Basic Bearer abc", "Digest bearer abc", "Token abc", "abc", "Bearer\u{A0}abc", "xBearer abc",
        "\"Bearer\" abc", "Bearer:abc", "Bearer\nabc",
    ])
    func everythingElseNamesNone(_ header: String) {
        #expect(Self.bearer(header) == nil)
    }

    @Test func onlyASCIILettersHaveAnotherCase() {
        // A Cyrillic letter that looks the same, and one that Unicode folds to an ASCII letter elsewhere.
        #expect(Self.bearer("Be\u{0430}rer abc") == nil)
        #expect(Self.bearer("Bea\u{0280}er abc") == nil)
    }
}
