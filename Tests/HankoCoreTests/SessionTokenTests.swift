import HankoCore
import Testing

@Suite struct SessionTokenTests {
    private static func refusal(_ bytes: [UInt8]) -> VerdictReason? {
        withBytes(bytes) { SessionToken.refusal(of: $0) }
    }

    @Test func withoutATokenNothingIsAsked() {
        #expect(Self.refusal([]) == .noToken)
        #expect(SessionToken.refusal(of: .empty) == .noToken)
        #expect(SessionToken.refusal(of: .empty)?.status == .noToken)
    }

    @Test func aTokenWithANULIsNoToken() {
        #expect(Self.refusal(Array("a\0b".utf8)) == .tokenHoldsNUL)
        #expect(Self.refusal([0]) == .tokenHoldsNUL)
    }

    @Test(arguments: [
        "test-token", "x", " ", "\n", "\"", "\\", "\u{1}", "é", "😀", "a.b.c", "null", "Bearer x", "a b",
    ])
    func everyOtherTextIsHankosToJudge(_ token: String) {
        #expect(Self.refusal(Array(token.utf8)) == nil)
    }

    @Test func theLimitIs256KiB() {
        #expect(SessionToken.maximumLength == 256 * 1_024)
        #expect(Self.refusal([UInt8](repeating: 0x61, count: 262_144)) == nil)
        #expect(Self.refusal([UInt8](repeating: 0x61, count: 262_145)) == .tokenTooLong)
        #expect(VerdictReason.tokenTooLong.status == .invalidToken)
        #expect(VerdictReason.tokenTooLong.text.contains("262144"))
    }

    @Test(
        arguments: [[0xFF], [0x80], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]
            as [[UInt8]])
    func whatIsNotUTF8IsNoToken(_ token: [UInt8]) {
        #expect(Self.refusal(token) == .tokenNotUTF8)
        #expect(VerdictReason.tokenNotUTF8.status == .invalidToken)
    }
}
