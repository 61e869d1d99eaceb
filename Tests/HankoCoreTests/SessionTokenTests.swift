@testable import HankoCore
import Testing

@Suite struct SessionTokenTests {
    /// What becomes of a token: its text, or why nobody is asked about it. The bytes are gone afterwards.
    private enum Outcome: Equatable {
        case text(String)
        case refused(TokenRefusal)
    }

    private static func outcome(_ bytes: [UInt8]) -> Outcome {
        withBytes(bytes) { view in
            do throws(TokenRefusal) {
                return .text(try SessionToken(view).text.string ?? "not UTF-8")
            } catch {
                return .refused(error)
            }
        }
    }

    private static func outcome(_ token: String) -> Outcome { outcome(Array(token.utf8)) }

    @Test func withoutATokenNothingIsAsked() {
        #expect(Self.outcome("") == .refused(.empty))
        #expect(VerdictReason(.empty).status == .noToken)
    }

    @Test func aTokenWithANULIsNoToken() {
        for token in ["a\0b", "\0", "a\0", "{\0"] { #expect(Self.outcome(token) == .refused(.holdsNUL)) }
    }

    @Test(arguments: [
        "test-token", "x", "\"", "\\", "\u{1}", "é", "😀", "null", "Bearer x", "a b", "a\nb", ".", "a.b", "a.", ".b",
        "[]",
        "a{", "eyJhbGciOiJSUzI1NiJ9", "\u{FEFF}x", "\u{200B}", "\u{180E}",
    ])
    func everyOtherTextThatIsNoJWSIsHankosToJudge(_ token: String) {
        #expect(Self.outcome(token) == .text(token))
    }

    @Test func theLimitIs256KiB() {
        #expect(SessionToken.maximumLength == 256 * 1_024)
        let longest = String(repeating: "a", count: 262_144)
        #expect(Self.outcome(longest) == .text(longest))
        #expect(Self.outcome(longest + "a") == .refused(.tooLong))
        // White space counts: where it begins or ends is not known of what was cut off.
        #expect(Self.outcome(longest + " ") == .refused(.tooLong))
        #expect(VerdictReason(.tooLong).status == .invalidToken)
        #expect(VerdictReason(.tooLong).text.contains("262144"))
    }

    @Test(
        arguments: [[0xFF], [0x80], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]
            as [[UInt8]])
    func whatIsNotUTF8IsNoToken(_ token: [UInt8]) {
        #expect(Self.outcome(token) == .refused(.notUTF8))
        #expect(VerdictReason(.notUTF8).status == .invalidToken)
    }

    // MARK: White space

    /// Go's `unicode.IsSpace`, which Hanko trims by.
    private static let whiteSpace: [UInt32] =
        [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680]
        + Array(0x2000...0x200A) + [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]

    @Test func whiteSpaceAroundATokenIsCutAsHankoCutsIt() {
        var checked = 0
        // All that has a neighbour among white space, and a few of those beyond.
        for value in Array(UInt32(1)...0x100) + [0x167F, 0x1680, 0x1681] + Array(0x1FFE...0x2061)
            + Array(0x2FFE...0x3002)
            + [0xFEFF, 0xFFFD, 0x1_2000, 0x1_2029, 0x10_FFFF]
        {
            // A dot and a brace make the shape of a JWS.
            guard let scalar = Unicode.Scalar(value), value != 0x2E, value != 0x7B else { continue }
            let mark = String(Character(scalar))
            let isWhiteSpace = Self.whiteSpace.contains(value)
            let expected = isWhiteSpace ? "x" : "\(mark)x\(mark)"
            #expect(Self.outcome("\(mark)x\(mark)") == .text(expected), "\(value)")
            #expect(Self.outcome(" \(mark)x\(mark)\n") == .text(expected), "\(value)")
            if isWhiteSpace {
                #expect(Self.outcome(mark) == .refused(.blank), "\(value)")
                #expect(Self.outcome("a\(mark)b") == .text("a\(mark)b"), "\(value)")
                checked += 1
            }
        }
        #expect(checked == 25)
        #expect(Self.outcome("\u{2003}\u{A0}\t é\u{3000} ") == .text("é"))
        #expect(VerdictReason(.blank).status == .invalidToken)
    }

    // MARK: The shape of a JWS

    private static let header = "eyJhbGciOiJSUzI1NiJ9"
    private static let payload = String(decoding: Judge.base64URL(Array(Judge.validPayload.utf8)), as: UTF8.self)
    private static let signature = String(repeating: "c2lnbmF0dXJl", count: 56) + "c2lnbmF0dXI"
    private static let token = "\(header).\(payload).\(signature)"

    @Test func whatHankoIssuesIsCanonical() {
        #expect(Self.outcome(Self.token) == .text(Self.token))
        #expect(Self.outcome(" \(Self.token)\n") == .text(Self.token))
        #expect(Self.outcome("e30.e30.") == .text("e30.e30."))
        #expect(Self.outcome("e30.e30.c2ln") == .text("e30.e30.c2ln"))
    }

    /// Each of these a real Hanko verifies, or might (recorded answers, point 9), and none does it issue.
    @Test(arguments: [
        // Line feeds inside.
        "\(header).\n\(payload).\(signature)", "\(header).\(payload)\n.\(signature)",
        "\(header).\(payload.prefix(8))\n\(payload.dropFirst(8)).\(signature)",
        "\(header).\(payload).\(signature.prefix(99))\n\(signature.dropFirst(99))",
        "\(header).\(payload.prefix(8))\r\n\(payload.dropFirst(8)).\(signature)",
        "\(header).\(payload.prefix(8)) \(payload.dropFirst(8)).\(signature)",
        "\(header.dropLast()) 9.\(payload).\(signature)",
        // The other alphabet.
        "e30.e30.a+b_", "e30.e30.a/b_", "e30.eyJhIjoiPz8+In0.c2ln", "eyJhIjoiPz8/In0.e30.c2ln",
        "\(header).\(payload).\(signature.dropLast())+",
        // Stray bits in the last letter.
        "\(header).\(payload).\(signature.dropLast())J", "\(header).\(payload).\(signature.dropLast())K",
        "e31.e30.c2ln", "e30.e31.c2ln", "e30.e30.c2l", "e30.e30.c2n", "e30.e30.cx",
        // Padding.
        "e30=.e30.c2ln", "e30.e30=.c2ln", "e30.e30.c2w=", "e30.e30.c2ln=",
        // Not three parts.
        "..", "...", "a.b.c.d", "e30.e30.c2ln.", ".e30.e30.c2ln", "e30..e30", "e30.e30.c2ln.e30",
        "\(token).", ".\(token)", "\(token).\(signature)",
        // Not JSON objects.
        "a.b.c", "bnVsbA.e30.c2ln", "e30.bnVsbA.c2ln", "W10.e30.c2ln", "e30.W10.c2ln", "e30.IiI.c2ln", "e30..c2ln",
        ".e30.c2ln", "e30.e30e30.c2ln", "e3.e30.c2ln", "é.é.é", "e30.e30.é", "e30.e30.c2ln😀",
        "\(header).\(payload.dropLast(4)).\(signature)",
        // JSON that our own reader does not take: two members of one name, something behind the object.
        "e30.eyJhIjoxLCJhIjoyfQ.c2ln", "eyJhIjoxLCJhIjoyfQ.e30.c2ln", "e30.e317fQ.c2ln", "e317fQ.e30.c2ln",
        // JSON form.
        "{", "{}", #"{"payload":"\#(payload)","signatures":[{"protected":"\#(header)","signature":"\#(signature)"}]}"#,
        #" {"payload":"\#(payload)","protected":"\#(header)","signature":"\#(signature)"} "#, "\u{A0}{x", "{a.b.c",
    ])
    func everyOtherSpellingIsRefused(_ token: String) {
        #expect(Self.outcome(token) == .refused(.notCanonical))
        #expect(Self.outcome("\t\(token)\u{2028}") == .refused(.notCanonical))
        #expect(VerdictReason(.notCanonical).status == .invalidToken)
    }

    /// Whatever of a good token is changed, it stays the same text, or is refused: nothing is read in another way.
    @Test func noByteOfATokenHasTwoSpellings() {
        let token = Array(Self.token.utf8)
        let parts = token.split(separator: 0x2E).map { Base64Form.bytes($0) }
        var generator = SeededGenerator(seed: 7_515)
        var refused = 0
        for _ in 0..<4_000 {
            var changed = token
            let position = generator.below(changed.count)
            switch generator.below(4) {
            case 0: changed.insert(UInt8(generator.below(256)), at: position)
            case 1: changed.remove(at: position)
            case 2: changed[position] ^= 1 << UInt8(generator.below(7))
            default: changed[position] = Array("ABCDabcd0123-_+/=.\n ".utf8)[generator.below(20)]
            }
            guard changed != token else { continue }
            switch Self.outcome(changed) {
            case .refused:
                refused += 1
            case .text(let text):
                let others = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
                if text == Self.token { continue }  // white space at an end
                #expect(others.map { Base64Form.bytes(Array($0)[...]) } != parts, "\(text)")
            }
        }
        #expect(refused > 1_000)
    }

    // MARK: What its payload says

    private static func claims(_ payload: String) throws -> TokenClaims? {
        try withBytes(Judge.token(payload: payload)) { try SessionToken($0).claims }
    }

    @Test func theClaimsOfASession() throws {
        let claims = try #require(try Self.claims(Judge.validPayload))
        #expect(claims.areOfSession)
        #expect(claims.sessionID == withBytes(of: Judge.session) { UUIDValue($0) })
        #expect(claims.subject == withBytes(of: Judge.user) { UUIDValue($0) }.map { .uuid($0) })
        #expect(claims.expiration == .seconds(1_795_395_634))
        #expect(claims.issuedAt == 1_795_352_434)
    }

    @Test func otherPayloads() throws {
        for payload in ["{}", #"{"sub":null,"exp":null,"session_id":null}"#] {
            let claims = try #require(try Self.claims(payload))
            #expect(!claims.areOfSession)
            #expect(claims.subject == .absent)
            #expect(claims.expiration == .absent)
            #expect(claims.issuedAt == nil)
        }
        let odd = try #require(
            try Self.claims(#"{"sub":"hanko webhooks","exp":"1795395634","iat":"1","session_id":"x"}"#))
        #expect(!odd.areOfSession)
        #expect(odd.subject == .other)
        #expect(odd.expiration == .unreadable)
        #expect(odd.issuedAt == nil)
        #expect(try withBytes(of: "test-token") { try SessionToken($0).claims } == nil)
    }

    @Test func aTokenMayBeGoodWhereItsPayloadIsASessionsAndItsExpiryAhead() throws {
        func mayBeGood(_ payload: String, now: Int64 = Judge.now) throws -> Bool {
            try withBytes(Judge.token(payload: payload)) { try SessionToken($0).mayBeGood(now: now) }
        }
        #expect(try mayBeGood(Judge.validPayload))
        #expect(try mayBeGood(Judge.validPayload, now: 1_795_395_633))
        #expect(try !mayBeGood(Judge.validPayload, now: 1_795_395_634))
        #expect(try !mayBeGood(#"{"exp":1795395634,"sub":"\#(Judge.user)"}"#))
        #expect(try !mayBeGood(#"{"session_id":"\#(Judge.session)"}"#))
        #expect(try !mayBeGood(#"{"session_id":"\#(Judge.session)","exp":"1795395634"}"#))
        #expect(try withBytes(of: "test-token") { try SessionToken($0).mayBeGood(now: 0) } == false)
    }

    @Test func aLongPayloadIsReadWhole() throws {
        let text = String(repeating: "0123456789", count: 19_000)
        let token = Judge.token(payload: #"{"x":"\#(text)","session_id":"\#(Judge.session)"}"#)
        #expect(token.count < SessionToken.maximumLength)
        try withBytes(token) { view in
            let token = try SessionToken(view)
            #expect(token.claims?.areOfSession == true)
            let session = token.withClaimFields {
                $0?.sessionID.text.map { String(decoding: $0.bytes(), as: UTF8.self) }
            }
            #expect(session == Judge.session)
        }
    }
}

/// Base64 for URLs as a lenient reader takes it: either alphabet, no matter which bits are surplus.
private enum Base64Form {
    static func bytes(_ letters: ArraySlice<UInt8>) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var bits: [UInt8] = []
        for letter in letters {
            let letter = letter == 0x2B ? 0x2D : letter == 0x2F ? 0x5F : letter
            guard let value = alphabet.firstIndex(of: letter) else { continue }
            bits += (0..<6).map { UInt8(value >> (5 - $0) & 1) }
        }
        return stride(from: 0, through: bits.count - 8, by: 8).map { start in
            bits[start..<start + 8].reduce(0) { $0 << 1 | $1 }
        }
    }
}
