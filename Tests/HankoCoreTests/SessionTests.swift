@testable import HankoCore
import Testing

/// What comes with a yes: each fact, and the source that the design's "Whose answer, whose claims" names for it.
@Suite struct SessionTests {
    /// The session that an answer makes. The bytes of the answer and of the token are gone when it is looked at.
    private static func judge(
        _ body: String, token: [UInt8] = Array("test-token".utf8), wantsSession: Bool = true
    ) -> Judgement {
        withBytes(of: body) { body in
            withBytes(token) { token in
                do throws(TokenRefusal) {
                    return Verdict.judge(
                        Ends.answer(200) { $0.body = body }, token: try SessionToken(token), audiences: [],
                        now: Judge.now, wantsSession: wantsSession)
                } catch {
                    return Judgement(VerdictReason(error))
                }
            }
        }
    }

    private static func session(_ body: String, token: [UInt8] = Array("test-token".utf8)) throws -> Session {
        let judgement = judge(body, token: token)
        #expect(judgement.reason == .accepted)
        return try #require(judgement.session)
    }

    /// One with these members in `claims` and nothing else.
    private static func session(claims: String) throws -> Session {
        try session("{\"is_valid\":true,\"claims\":{\(claims)}}")
    }

    private static func claim(_ name: String, of session: Session) -> String? {
        withBytes(of: name) { name in
            withExtendedLifetime(session) { session.claimJSON(named: name).map { String(cString: $0) } }
        }
    }

    private static let noon: Int64 = 1_795_348_800  // 2026-11-22T12:00:00Z

    // MARK: When there is one

    @Test func thereIsOneOnlyWithAYes() {
        let bodies = [
            #"{"is_valid":false}"#, #"{"is_valid":false,"user_id":"\#(Judge.user)"}"#, "{}", "", "<html>",
            #"{"is_valid":true,"user_id":""}"#, #"{"is_valid":true,"expiration_time":"2020-01-01T00:00:00Z"}"#,
            #"{"is_valid":"true"}"#,
        ]
        for body in bodies {
            let judgement = Self.judge(body)
            #expect(judgement.reason != .accepted)
            #expect(judgement.session == nil)
        }
        for status in [0, 201, 302, 404, 500] {
            withBytes(of: Judge.validAnswer) { body in
                let judgement = Verdict.judge(
                    Ends.answer(status) { $0.body = body }, token: StartupCheck.token, audiences: [], now: Judge.now,
                    wantsSession: true)
                #expect(judgement.session == nil)
            }
        }
        for failure in Ends.failures {
            let judgement = Verdict.judge(
                .failure(failure), token: StartupCheck.token, audiences: [], now: Judge.now, wantsSession: true)
            #expect(judgement.session == nil)
        }
    }

    @Test func thereIsNoneWhereNobodyWantsIt() {
        let judgement = Self.judge(Judge.validAnswer, wantsSession: false)
        #expect(judgement.reason == .accepted)
        #expect(judgement.session == nil)
    }

    @Test func anAudienceThatDoesNotMatchLeavesNone() {
        withBytes(of: Judge.validAnswer) { body in
            let judgement = Verdict.judge(
                Ends.answer(200) { $0.body = body }, token: StartupCheck.token, audiences: [Array("other".utf8)],
                now: Judge.now,
                wantsSession: true)
            #expect(judgement.reason == .audienceUnknown)
            #expect(judgement.session == nil)
        }
    }

    // MARK: Each accessor

    @Test(arguments: [false, true])
    func whatHankoSendsIsRead(_ withSessionToken: Bool) throws {
        let token = withSessionToken ? Judge.token(payload: Judge.validPayload) : Array("test-token".utf8)
        let session = try Self.session(Judge.validAnswer, token: token)
        #expect(session.copied(\.userID) == Judge.user)
        #expect(session.copied(\.sessionID) == Judge.session)
        #expect(session.copied(\.email) == "ada@example.com")
        #expect(session.emailIsVerified)
        #expect(session.copied(\.username) == nil)
        #expect(session.issuedAt == 1_795_352_434)
        #expect(session.expiresAt == 1_795_395_634)
        #expect(session.idleExpiresAt == 0)
    }

    @Test func whatIsNotSentIsNotThere() throws {
        for body in [
            #"{"is_valid":true}"#, #"{"is_valid":true,"claims":null}"#,
            #"{"is_valid":true,"user_id":null,"expiration_time":null,"idle_expires_at":null}"#,
        ] {
            let session = try Self.session(body)
            #expect(session.userID == nil && session.sessionID == nil)
            #expect(session.email == nil && session.username == nil)
            #expect(!session.emailIsVerified)
            #expect(session.issuedAt == 0 && session.expiresAt == 0 && session.idleExpiresAt == 0)
            #expect(session.claimsJSON == nil)
            #expect(Self.claim("subject", of: session) == nil)
            #expect(Self.claim("", of: session) == nil)
        }
    }

    @Test(arguments: ["\"text\"", "7", "true", "[1]", "[]"])
    func claimsThatAreNoObjectCountAsNotSent(_ claims: String) throws {
        let session = try Self.session("{\"is_valid\":true,\"claims\":\(claims)}")
        #expect(session.claimsJSON == nil)
        #expect(session.userID == nil)
    }

    @Test func aFieldOfAnUnexpectedTypeCountsAsNotSent() throws {
        let session = try Self.session(
            """
            {"is_valid":true,"idle_expires_at":7,"claims":{"email":"a@b.c","username":7,"session_id":[],\
            "issued_at":7}}
            """)
        #expect(session.email == nil && session.username == nil && session.sessionID == nil)
        #expect(session.issuedAt == 0 && session.idleExpiresAt == 0)
    }

    @Test(
        arguments: [
            (#"{"address":"a@b.c","is_verified":true}"#, "a@b.c", true),
            (#"{"address":"a@b.c","is_verified":false}"#, "a@b.c", false),
            (#"{"address":"a@b.c"}"#, "a@b.c", false),
            (#"{"is_verified":true,"address":"a@b.c"}"#, "a@b.c", true),
            (#"{"address":"a@b.c","is_verified":null}"#, "a@b.c", false),
            (#"{"address":"a@b.c","is_verified":1}"#, "a@b.c", false),
            (#"{"address":"a@b.c","is_verified":"true"}"#, "a@b.c", false),
            (#"{"address":"é😀@b.c","is_verified":true}"#, "é😀@b.c", true),
            (#"{"address":"\u0061@b.c","is_verified":true}"#, "a@b.c", true),
            (#"{"address":"","is_verified":false}"#, "", false),
            (#"{"is_verified":true}"#, nil, false),
            (#"{"address":null,"is_verified":true}"#, nil, false),
            (#"{"address":7,"is_verified":true}"#, nil, false),
            (#"[{"address":"a@b.c","is_verified":true}]"#, nil, false),
            ("{}", nil, false),
        ] as [(String, String?, Bool)])
    func theEmailIsThatOfTheObject(_ email: String, _ address: String?, _ isVerified: Bool) throws {
        let session = try Self.session(claims: "\"email\":\(email)")
        #expect(session.copied(\.email) == address)
        // An address that was not sent is not verified.
        #expect(session.emailIsVerified == isVerified)
    }

    @Test(arguments: ["ada", "", "é😀\u{10FFFF}", "a b\tc", "\u{7F}\u{80}", "\u{202E}x"])
    func textsWithAnyUnicodeComeThrough(_ name: String) throws {
        let escaped = name.unicodeScalars.map { scalar -> String in
            scalar.value < 0x20
                ? "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                : String(scalar)
        }.joined()
        let session = try Self.session(claims: "\"username\":\"\(escaped)\"")
        #expect(session.copied(\.username) == name)
    }

    @Test func escapesAreResolvedInAccessors() throws {
        let session = try Self.session(
            claims: #""username":"\ud83d\ude00\"\\\/\b\f\n\r\t\u00e9","session_id":"\u0078""#)
        #expect(session.copied(\.username) == "😀\"\\/\u{8}\u{C}\n\r\té")
        #expect(session.copied(\.sessionID) == "x")
    }

    @Test(arguments: [
        #""user_id":"a\u0000b""#, #""claims":{"subject":"a\u0000b"}"#, #""claims":{"session_id":"\u0000"}"#,
        #""claims":{"username":"\u0000a"}"#, #""claims":{"email":{"address":"a\u0000"}}"#,
    ])
    func aNULInATextThatAnAccessorReturnsMakesNoSession(_ member: String) {
        let judgement = Self.judge("{\"is_valid\":true,\(member)}")
        #expect(judgement.reason.status == .protocolError)
        #expect(judgement.session == nil)
        // Whether anybody looks at it or not.
        #expect(Self.judge("{\"is_valid\":true,\(member)}", wantsSession: false).reason.status == .protocolError)
    }

    @Test func aNULElsewhereStaysEscapedInTheClaims() throws {
        let session = try Self.session(claims: #""note":"a\u0000b""#)
        #expect(session.copied(\.claimsJSON) == #"{"note":"a\u0000b"}"#)
        #expect(Self.claim("note", of: session) == #""a\u0000b""#)
    }

    // MARK: Times

    @Test(
        arguments: [
            ("2026-11-22T12:00:00Z", 0), ("2026-11-22T12:00:00.5Z", 0), ("2026-11-22T12:00:00.999999999Z", 0),
            ("2026-11-22T14:00:00+02:00", 0), ("2026-11-22T06:30:00.123-05:30", 0), ("2026-11-22T12:00:01z", 1),
        ] as [(String, Int64)])
    func timesAreReadInAllForms(_ text: String, _ later: Int64) throws {
        let body = "{\"is_valid\":true,\"idle_expires_at\":\"\(text)\",\"claims\":{\"issued_at\":\"\(text)\"}}"
        let session = try Self.session(body)
        #expect(session.idleExpiresAt == Self.noon + later)
        #expect(session.issuedAt == Self.noon + later)
        let future = text.replacingPrefix("2026", with: "2027")
        let expiring = try Self.session("{\"is_valid\":true,\"expiration_time\":\"\(future)\"}")
        #expect(expiring.expiresAt == Self.noon + later + 365 * 86_400)
    }

    @Test(arguments: ["", "now", "2026-11-22", "2026-11-22T12:00:00", "2026-13-22T12:00:00Z", "1795348800"])
    func timesThatDecideNothingAndCannotBeReadCountAsNotSent(_ text: String) throws {
        let body = "{\"is_valid\":true,\"idle_expires_at\":\"\(text)\",\"claims\":{\"issued_at\":\"\(text)\"}}"
        let session = try Self.session(body)
        #expect(session.idleExpiresAt == 0)
        #expect(session.issuedAt == 0)
    }

    // MARK: Whose claims

    /// An answer whose `claims` a template has overwritten, and the payload of the token that Hanko has just verified.
    private static let overwritten = """
        "claims":{"subject":"mallory","expiration":"2999-01-01T00:00:00Z","issued_at":"2001-01-01T00:00:00Z",\
        "audience":["evil"],"session_id":"\(Judge.session)"}
        """

    @Test func theFieldsAtTheTopComeFirst() throws {
        for token in [Array("test-token".utf8), Judge.token(payload: Judge.validPayload)] {
            let session = try Self.session(
                """
                {"is_valid":true,"user_id":"\(Judge.user)","expiration_time":"2026-11-23T01:00:34Z",\
                \(Self.overwritten)}
                """, token: token)
            #expect(session.copied(\.userID) == Judge.user)
            #expect(session.expiresAt == 1_795_395_634)
        }
    }

    @Test func thePayloadOfASessionTokenComesNext() throws {
        let token = Judge.token(payload: Judge.validPayload)
        for top in ["", #""user_id":null,"expiration_time":null,"#] {
            let session = try Self.session("{\"is_valid\":true,\(top)\(Self.overwritten)}", token: token)
            #expect(session.copied(\.userID) == Judge.user)
            #expect(session.expiresAt == 1_795_395_634)
            #expect(session.issuedAt == 1_795_352_434)
        }
        // The moment of issue even where the top sends everything that it can.
        let session = try Self.session(
            "{\"is_valid\":true,\"user_id\":\"\(Judge.user)\",\(Self.overwritten)}", token: token)
        #expect(session.issuedAt == 1_795_352_434)
        #expect(session.copied(\.sessionID) == Judge.session)
    }

    @Test func theAudienceComesFromThePayload() {
        let token = Judge.token(payload: Judge.validPayload)
        for (audience, expected) in [("localhost", VerdictReason.accepted), ("evil", .audienceMismatch)] {
            let reason = Judge.reason("{\"is_valid\":true,\(Self.overwritten)}", token: token, audiences: [audience])
            #expect(reason == expected)
        }
    }

    @Test func theClaimsServeLastAndForOtherTokens() throws {
        let tokens = [
            Array("test-token".utf8), Array("a.b".utf8),
            // A payload without Hanko's claims, which anybody may have made.
            Judge.token(payload: #"{"sub":"\#(Judge.otherUser)","iat":5,"exp":1795395699}"#),
            Judge.token(payload: #"{"session_id":"no-uuid","sub":"\#(Judge.otherUser)","iat":5}"#),
            // Hanko's, but it says nothing of these.
            Judge.token(payload: #"{"session_id":"\#(Judge.session)"}"#),
            Judge.token(payload: #"{"session_id":"\#(Judge.session)","sub":null,"iat":null,"exp":null}"#),
        ]
        for token in tokens {
            let session = try Self.session("{\"is_valid\":true,\(Self.overwritten)}", token: token)
            let place = String(decoding: token, as: UTF8.self)
            #expect(session.copied(\.userID) == "mallory", "\(place)")
            #expect(session.expiresAt == 32_472_144_000, "\(place)")
            #expect(session.issuedAt == 978_307_200, "\(place)")
        }
    }

    @Test func theSessionsIDComesFromThePayloadWhereTheClaimsLackIt() throws {
        let token = Judge.token(payload: Judge.validPayload)
        for body in [#"{"is_valid":true}"#, #"{"is_valid":true,"claims":{"session_id":null}}"#] {
            let session = try Self.session(body, token: token)
            #expect(session.copied(\.sessionID) == Judge.session)
            #expect(session.copied(\.userID) == Judge.user)
        }
    }

    @Test func anAnswerForAnotherTokenMakesNoSession() {
        let token = Judge.token(payload: Judge.validPayload)
        for body in [
            #"{"is_valid":true,"user_id":"\#(Judge.otherUser)"}"#,
            #"{"is_valid":true,"claims":{"session_id":"\#(Judge.otherSession)"}}"#,
        ] {
            let judgement = Self.judge(body, token: token)
            #expect(judgement.reason == .otherToken)
            #expect(judgement.session == nil)
        }
    }

    // MARK: Claims

    @Test(
        arguments: [
            ("{}", "{}"),
            (" {\n\t} ", "{}"),
            (#"{ "a" : 1 , "b" : [ 1 , 2 ] }"#, #"{"a":1,"b":[1,2]}"#),
            (#"{"a":" b \" c ","d":"\\"}"#, #"{"a":" b \" c ","d":"\\"}"#),
            ("{\r\n  \"a\" :\r\n {\t\"b\": null }\r\n}", #"{"a":{"b":null}}"#),
            (#"{"z":1,"a":2,"Z":3}"#, #"{"z":1,"a":2,"Z":3}"#),
            // Numbers keep all their digits.
            (
                "{\"a\":9007199254740993,\"b\":123456789012345678901234567890,\"c\":1.10,\"d\":-0,\"e\":1E+400}",
                "{\"a\":9007199254740993,\"b\":123456789012345678901234567890,\"c\":1.10,\"d\":-0,\"e\":1E+400}"
            ),
            (#"{"\u00e9":"\u00e9","é":"😀"}"#, nil),
            (#"{"a":"\u003cx\u003e\/"}"#, #"{"a":"\u003cx\u003e\/"}"#),
            (#"{"é":"😀","":""}"#, #"{"é":"😀","":""}"#),
        ] as [(String, String?)])
    func claimsAreAsHankoSentThemButCompact(_ claims: String, _ expected: String?) throws {
        let body = "{\"is_valid\":true,\"claims\":\(claims)}"
        guard let expected else {
            // A name twice, once with an escape, is no answer of Hanko.
            #expect(Self.judge(body).session == nil)
            return
        }
        #expect(try Self.session(body).copied(\.claimsJSON) == expected)
    }

    @Test func oneClaimOfTheTopLevelIsFoundByItsExactName() throws {
        let session = try Self.session(
            claims: #"""
                "text":"Ada","number":9007199254740993,"list":[ 1, { "x" : 2 } ],"object": { "inner": true },
                "yes":true,"no":false,"é😀":"u","\u0061bc":"escaped name","":"empty name","a b":"blank"
                """#)
        for (name, value) in [
            ("text", #""Ada""#), ("number", "9007199254740993"), ("list", #"[1,{"x":2}]"#),
            ("object", #"{"inner":true}"#), ("yes", "true"), ("no", "false"), ("é😀", #""u""#),
            ("abc", #""escaped name""#), ("", #""empty name""#), ("a b", #""blank""#),
        ] {
            #expect(Self.claim(name, of: session) == value, "\(name)")
        }
        for name in ["Text", "tex", "texts", "inner", "x", "0", "object.inner", " text", "\\u0061bc", "e\u{301}"] {
            #expect(Self.claim(name, of: session) == nil, "\(name)")
        }
    }

    @Test func reservedClaimsAreFoundToo() throws {
        let session = try Self.session(Judge.validAnswer)
        #expect(Self.claim("subject", of: session) == "\"\(Judge.user)\"")
        #expect(Self.claim("audience", of: session) == #"["localhost"]"#)
        // The fields at the top of the answer are no claims.
        #expect(Self.claim("user_id", of: session) == nil)
        #expect(Self.claim("is_valid", of: session) == nil)
    }

    @Test func aClaimCanBeCalledIsValid() throws {
        let session = try Self.session(claims: #""is_valid":false"#)
        #expect(Self.claim("is_valid", of: session) == "false")
    }

    @Test func largeClaimsComeThrough() throws {
        let large = String(repeating: "x😀", count: 20_000)
        let many = (0..<500).map { "\"c\($0)\":\($0)" }.joined(separator: ",")
        let session = try Self.session(claims: "\"large\":\"\(large)\",\(many)")
        #expect(Self.claim("large", of: session) == "\"\(large)\"")
        for index in 0..<500 { #expect(Self.claim("c\(index)", of: session) == "\(index)") }
        #expect(session.copied(\.claimsJSON)?.utf8.count == large.utf8.count + many.utf8.count + 13)
    }

    // MARK: Lifetime and threads

    /// Claims without white space are kept in one piece, others are written anew: the same must come of it.
    @Test func whiteSpaceBetweenThePartsOfClaimsChangesNothing() throws {
        var generator = SeededGenerator(seed: 21)
        let names = (0..<12).map { "n\($0)" } + ["", "a \\\"b", "\\u0061", "é", "{", ","]
        for _ in 0..<300 {
            let members = names.shuffled(using: &generator).prefix(generator.below(8)).map { name in
                (name, Self.value(&generator, depth: 0))
            }
            let compact = members.map { "\"\($0)\":\($1.joined())" }.joined(separator: ",")
            let space = [" ", "\n", "\t", "\r", " \n  "][generator.below(5)]
            let spaced = members.map { "\"\($0)\"\(space):\($1.joined(separator: space))\(space)" }
                .joined(separator: "," + space)
            for claims in [compact, spaced, space + compact, spaced + space] {
                let session = try Self.session(claims: claims)
                #expect(session.copied(\.claimsJSON) == "{\(compact)}")
                for (name, value) in members {
                    let resolved = name == "a \\\"b" ? "a \"b" : name == "\\u0061" ? "a" : name
                    #expect(Self.claim(resolved, of: session) == value.joined(), "\(name) of \(claims)")
                }
                #expect(Self.claim("no such claim", of: session) == nil)
            }
        }
    }

    /// The parts of a random value, between which white space may stand.
    private static func value(_ generator: inout SeededGenerator, depth: Int) -> [String] {
        switch generator.below(depth > 3 ? 5 : 7) {
        case 0: return ["null"]
        case 1: return ["-12.5e3"]
        case 2: return ["\"\""]
        case 3: return ["\"a text, with \\\" and \\\\ and }]{[: \\u00e9 and é in it\""]
        case 4: return ["true"]
        case 5:
            let elements = (0..<generator.below(4)).map { _ in value(&generator, depth: depth + 1) }
            return ["["] + Array(elements.joined(separator: [","])) + ["]"]
        default:
            let members = (0..<generator.below(4)).map { number in
                ["\"\(number)\"", ":"] + value(&generator, depth: depth + 1)
            }
            return ["{"] + Array(members.joined(separator: [","])) + ["}"]
        }
    }

    @Test func textsStayWhereTheyAre() throws {
        let session = try Self.session(Judge.validAnswer)
        let first = (session.userID, session.claimsJSON, withBytes(of: "subject") { session.claimJSON(named: $0) })
        for _ in 0..<100 {
            #expect(session.userID == first.0)
            #expect(session.claimsJSON == first.1)
            #expect(withBytes(of: "subject") { session.claimJSON(named: $0) } == first.2)
        }
    }

    @Test func manyThreadsMayReadIt() throws {
        let session = try Self.session(Judge.validAnswer)
        let wrong = Wrongs()
        let crew = try #require(
            Crew.start(4) { _ in
                for _ in 0..<500 {
                    let isRight =
                        session.copied(\.userID) == Judge.user && session.copied(\.email) == "ada@example.com"
                        && session.emailIsVerified && session.expiresAt == 1_795_395_634
                        && Self.claim("audience", of: session) == #"["localhost"]"#
                        && session.copied(\.claimsJSON)?.hasPrefix(#"{"audience":["localhost"],"#) == true
                    if !isRight { wrong.note() }
                }
            })
        crew.wait()
        #expect(wrong.count == 0)
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
