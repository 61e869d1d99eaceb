import Foundation
import HankoCore
import Testing

/// The table of the design, row by row, then whose answer and whose claims count, sentence by sentence.
@Suite struct VerdictTests {
    private static let yes = #"{"is_valid":true}"#

    // MARK: 200 and a yes

    @Test(arguments: [
        Judge.validAnswer,
        #"{"is_valid":true}"#,
        " {\t\"is_valid\" : true }\r\n",
        #"{"is\u005fvalid":true}"#,
        #"{"x":{"is_valid":false},"is_valid":true,"y":[{"is_valid":false}]}"#,
        #"{"is_valid":true,"unknown":{"a":[1,2,{"b":null}]},"more":"text"}"#,
        #"{"is_valid":true,"user_id":null,"expiration_time":null,"claims":null}"#,
        #"{"is_valid":true,"claims":{"subject":null,"session_id":null,"audience":null,"expiration":null}}"#,
        #"{"is_valid":true,"claims":{"email":null,"username":null}}"#,
        #"{"is_valid":true,"claims":{"email":{"address":null}}}"#,
        #"{"is_valid":true,"user_id":"\#(Judge.user)"}"#,
        #"{"is_valid":true,"expiration_time":"2026-11-23T01:00:34Z"}"#,
    ])
    func isValidExactlyTrueIsAYes(_ body: String) {
        #expect(Judge.reason(body) == .accepted)
        #expect(Judge.reason(body, token: Judge.token(payload: Judge.validPayload)) == .accepted)
    }

    @Test(arguments: [
        #"{"is_valid":true,"user_id":"ada"}"#,
        #"{"is_valid":true,"expiration_time":"2026-11-22T13:00:35Z"}"#,
        #"{"is_valid":true,"expiration_time":"9999-12-31T23:59:59Z"}"#,
    ])
    func aTokenThatIsNoJWSContradictsNoAnswer(_ body: String) {
        #expect(Judge.reason(body) == .accepted)
    }

    @Test(arguments: [
        #"{"is_valid":true,"claims":"text"}"#,
        #"{"is_valid":true,"claims":7}"#,
        #"{"is_valid":true,"claims":false}"#,
        #"{"is_valid":true,"claims":[{"subject":""}]}"#,
        #"{"is_valid":true,"claims":{"email":"a@b.c"}}"#,
        #"{"is_valid":true,"claims":{"email":["a@b.c"]}}"#,
        #"{"is_valid":true,"claims":{"email":{"address":7}}}"#,
        #"{"is_valid":true,"claims":{"email":{"address":{"x":"y"}}}}"#,
        #"{"is_valid":true,"claims":{"username":7}}"#,
        #"{"is_valid":true,"claims":{"username":["x"]}}"#,
        #"{"is_valid":true,"claims":{"session_id":7}}"#,
        #"{"is_valid":true,"claims":{"session_id":{"a":"b"}}}"#,
        #"{"is_valid":true,"claims":{"audience":7}}"#,
        #"{"is_valid":true,"claims":{"issued_at":[]}}"#,
    ])
    func otherFieldsOfAnUnexpectedTypeCountAsNotSent(_ body: String) {
        #expect(Judge.reason(body) == .accepted)
    }

    // MARK: 200 and a no

    @Test(arguments: [
        #"{"is_valid":false}"#,
        "{\"is_valid\":false}\n",
        #"{"is_valid":false,"user_id":"\#(Judge.nilUUID)","expiration_time":"0001-01-01T00:00:00Z"}"#,
        #"{"is_valid":false,"user_id":7,"expiration_time":7}"#,
        #"{"is_valid":false,"user_id":"\#(Judge.otherUser)","claims":{"session_id":"\#(Judge.otherSession)"}}"#,
        #"{"is_valid":false,"claims":{"is_valid":true}}"#,
    ])
    func isValidExactlyFalseIsANo(_ body: String) {
        #expect(Judge.reason(body) == .rejected)
        let token = Judge.token(payload: Judge.validPayload)
        #expect(Judge.reason(body, token: token, audiences: ["other"]) == .rejected)
    }

    // MARK: 200 and anything else

    @Test(arguments: [
        "{}",
        #"{"is_valid":null}"#,
        #"{"is_valid":1}"#,
        #"{"is_valid":0}"#,
        #"{"is_valid":"true"}"#,
        #"{"is_valid":"false"}"#,
        #"{"is_valid":""}"#,
        #"{"is_valid":[true]}"#,
        #"{"is_valid":{"is_valid":true}}"#,
        #"{"Is_Valid":true}"#,
        #"{"is_valid ":true}"#,
        #"{"isvalid":true}"#,
        #"{"is_valid\u0000":true}"#,
        #"{"valid":true}"#,
        #"{"":true}"#,
        #"{"claims":{"is_valid":true}}"#,
        #"{"error":{"is_valid":true}}"#,
    ])
    func withoutATrueOrFalseThereIsNoVerdict(_ body: String) {
        #expect(Judge.reason(body) == .noVerdict)
        #expect(Judge.reason(body).status == .protocolError)
    }

    @Test(arguments: [
        "true", "null", "1", "\"is_valid\"", "[]", #"[{"is_valid":true}]"#, #"["is_valid",true]"#, #"["is_valid"]"#,
    ])
    func whatIsNoObjectIsNoAnswerOfHanko(_ body: String) {
        #expect(Judge.reason(body) == .notObject)
        #expect(Judge.reason(body).status == .protocolError)
    }

    @Test(arguments: [
        "",
        " ",
        "\0",
        "{",
        #"{"is_valid":true"#,
        #"{"is_valid":tru"#,
        #"{"is_valid":true,"#,
        #"{"is_valid":true,}"#,
        #"{"is_valid":true}}"#,
        #"{"is_valid":true}{"is_valid":false}"#,
        #"{"is_valid":true} x"#,
        "{\"is_valid\":true}\0",
        "{\"x\":1\0,\"is_valid\":true}",
        "\u{FEFF}{\"is_valid\":true}",
        #"{'is_valid':true}"#,
        #"{is_valid:true}"#,
        #"{"is_valid":True}"#,
        #"{"is_valid":true,"is_valid":true}"#,
        #"{"is_valid":true,"is_valid":false}"#,
        #"{"is_valid":false,"is_valid":true}"#,
        #"{"is_valid":true,"is\u005fvalid":true}"#,
        #"{"is_valid":true,"user_id":"a","user_id":"b"}"#,
        #"{"is_valid":true,"x":1,"x":2}"#,
        #"{"is_valid":true,"claims":{"subject":"a","subject":"a"}}"#,
        #"{"is_valid":true,"claims":{"email":{"address":"a","address":"b"}}}"#,
        #"{"is_valid":true,"claims":{"x":[{"y":1,"y":2}]}}"#,
        #"{"is_valid":true,"x":01}"#,
        #"{"is_valid":true,"x":"\x"}"#,
        "{\"is_valid\":true,\"x\":\"\n\"}",
        "{\"is_valid\":true} // yes",
        "<!doctype html><html><body>It works!</body></html>",
        "is_valid=true",
        "OK",
        #"{"is_valid":true,"x":"# + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
    ])
    func whatIsNotStrictJSONIsNoAnswerOfHanko(_ body: String) {
        let reason = Judge.reason(body)
        guard case .notJSON(let position) = reason else {
            Issue.record("\(reason)")
            return
        }
        #expect(position >= 0 && position <= body.utf8.count)
        #expect(reason.status == .protocolError)
    }

    @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func aBodyThatIsNotUTF8IsNotJSON(_ character: [UInt8]) {
        let body = Array(#"{"is_valid":true,"x":""#.utf8) + character + Array("\"}".utf8)
        #expect(Judge.reason(body) == .notJSON(position: 22))
    }

    @Test func cutOffBodiesAndContradictingLengthsAreNoAnswerOfHanko() {
        #expect(Judge.reason(Self.yes) { $0.bodyTooLarge = true } == .bodyTooLarge)
        #expect(Judge.reason(Self.yes) { $0.hasBrokenLength = true } == .brokenLength)
        #expect(VerdictReason.bodyTooLarge.status == .protocolError)
        #expect(VerdictReason.brokenLength.status == .protocolError)
    }

    @Test func anEncodedBodyIsNamedAsThat() {
        #expect(Judge.reason(Self.yes) { $0.isEncoded = true } == .encodedBody)
        #expect(Judge.reason(#"{"is_valid":false}"#) { $0.isEncoded = true } == .encodedBody)
        #expect(VerdictReason.encodedBody.status == .protocolError)
        #expect(VerdictReason.encodedBody.text.contains("Content-Encoding"))
    }

    /// It may be another request's: never a yes or a no.
    @Test func anAnswerThatCameTooEarlyIsNoVerdict() {
        let claims = #"{"code":400,"message":"failed to parse token claims"}"#
        for token in [Array("test-token".utf8), [UInt8](repeating: 0x61, count: 20_000)] {
            for body in [Self.yes, #"{"is_valid":false}"#, claims, ""] {
                for status in 100...999 {
                    let reason = Judge.reason(body, status: status, token: token) { $0.isEarly = true }
                    #expect(![.ok, .invalidToken].contains(reason.status), "\(status)")
                    if status == 200 { #expect(reason == .transport(.unaskedBytes)) }
                }
            }
        }
    }

    @Test(arguments: [200, 400, 404, 413, 500, 503, 302, 204, 101, 0])
    func aHeadThatIsTooLongIsNoAnswerOfHankoWhateverTheStatus(_ status: Int) {
        #expect(Judge.reason(Self.yes, status: status) { $0.headTooLarge = true } == .headTooLarge)
        #expect(VerdictReason.headTooLarge.status == .protocolError)
    }

    // MARK: The user

    @Test(arguments: [
        #""""#, "7", "0", "true", "false", "[]", "{}", #"["\#(Judge.user)"]"#, #"{"id":"\#(Judge.user)"}"#,
        "\"\(Judge.nilUUID)\"", #""\u0030\#(Judge.nilUUID.dropFirst())""#,
    ])
    func aUserThatIsSentIsTextAndNeitherEmptyNorTheNilUUID(_ user: String) {
        #expect(Judge.reason("{\"is_valid\":true,\"user_id\":\(user)}") == .userUnusable)
        #expect(Judge.reason("{\"is_valid\":true,\"claims\":{\"subject\":\(user)}}") == .userUnusable)
        let token = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"sub\":\(user)}")
        #expect(Judge.reason(Self.yes, token: token) == .userUnusable)
        #expect(VerdictReason.userUnusable.status == .protocolError)
    }

    @Test func theUserAtTheTopCountsFirst() {
        let claims = #""claims":{"subject":"\#(Judge.user)"}"#
        let token = Judge.token(payload: Judge.validPayload)
        for user in [#""""#, "\"\(Judge.nilUUID)\"", "7"] {
            #expect(Judge.reason("{\"is_valid\":true,\"user_id\":\(user),\(claims)}") == .userUnusable)
        }
        #expect(Judge.reason(#"{"is_valid":true,"user_id":"",\#(claims)}"#, token: token) == .userUnusable)
        // The recorded answer `custom-claims`: a yes for the user of user_id, whatever the claims say.
        for subject in [#""""#, "\"\(Judge.nilUUID)\"", "7", "\"\(Judge.otherUser)\"", #""a\u0000b""#] {
            let body = "{\"is_valid\":true,\"user_id\":\"\(Judge.user)\",\"claims\":{\"subject\":\(subject)}}"
            #expect(Judge.reason(body) == .accepted, "\(subject)")
            #expect(Judge.reason(body, token: token) == .accepted, "\(subject)")
        }
    }

    @Test func thePayloadOfASessionTokenNamesTheUserWhereTheTopDoesNot() {
        let token = Judge.token(payload: Judge.validPayload)
        let nilToken = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"sub\":\"\(Judge.nilUUID)\"}")
        for top in ["", #""user_id":null,"#] {
            #expect(
                Judge.reason(#"{\#(top)"is_valid":true,"claims":{"subject":""}}"#, token: token) == .accepted)
            #expect(
                Judge.reason(#"{\#(top)"is_valid":true,"claims":{"subject":"\#(Judge.user)"}}"#, token: nilToken)
                    == .userUnusable)
        }
    }

    @Test func theClaimsNameTheUserLast() {
        let unusable = #"{"is_valid":true,"claims":{"subject":""}}"#
        let silentSession = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\"}")
        let nullSession = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"sub\":null}")
        #expect(Judge.reason(unusable) == .userUnusable)
        #expect(Judge.reason(unusable, token: silentSession) == .userUnusable)
        #expect(Judge.reason(unusable, token: nullSession) == .userUnusable)
    }

    // MARK: Whose answer

    @Test func anAnswerForAnotherSessionIsAnotherTokens() {
        let token = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\"}")
        func body(_ session: String) -> String { "{\"is_valid\":true,\"claims\":{\"session_id\":\(session)}}" }
        #expect(Judge.reason(body("\"\(Judge.otherSession)\""), token: token) == .otherToken)
        #expect(Judge.reason(body("\"\(Judge.nilUUID)\""), token: token) == .otherToken)
        #expect(Judge.reason(body("\"\(Judge.session)\""), token: token) == .accepted)
        #expect(Judge.reason(body("\"\(Judge.session.uppercased())\""), token: token) == .accepted)
        #expect(Judge.reason(body(#""\u0063\#(Judge.session.dropFirst())""#), token: token) == .accepted)
        #expect(VerdictReason.otherToken.status == .protocolError)
    }

    @Test func anAnswerForAnotherUserIsAnotherTokens() {
        let token = Judge.token(payload: "{\"sub\":\"\(Judge.user)\"}")
        func body(_ user: String) -> String { "{\"is_valid\":true,\"user_id\":\"\(user)\"}" }
        #expect(Judge.reason(body(Judge.otherUser), token: token) == .otherToken)
        #expect(Judge.reason(body(Judge.user), token: token) == .accepted)
        #expect(Judge.reason(body(Judge.user.uppercased()), token: token) == .accepted)
        let session = Judge.token(payload: Judge.validPayload)
        #expect(Judge.reason(body(Judge.otherUser), token: session) == .otherToken)
    }

    @Test func eachOfSessionAndUserIsComparedWhateverTheOther() {
        let token = Judge.token(payload: Judge.validPayload)
        func body(_ user: String, _ session: String) -> String {
            "{\"is_valid\":true,\"user_id\":\"\(user)\",\"claims\":{\"session_id\":\"\(session)\"}}"
        }
        #expect(Judge.reason(body(Judge.user, Judge.session), token: token) == .accepted)
        #expect(Judge.reason(body(Judge.otherUser, Judge.session), token: token) == .otherToken)
        #expect(Judge.reason(body(Judge.user, Judge.otherSession), token: token) == .otherToken)
        #expect(Judge.reason(body(Judge.otherUser, Judge.otherSession), token: token) == .otherToken)
    }

    /// Whatever is sent in place of the token's own session or user is not them.
    @Test func whatIsNoUUIDIsAnotherTokensToo() {
        let token = Judge.token(payload: Judge.validPayload)
        for session in [
            #""evil""#, #""""#, "7", "true", "[]", #"["\#(Judge.session)"]"#, "\"urn:uuid:\(Judge.session)\"",
        ] {
            let body = "{\"is_valid\":true,\"claims\":{\"session_id\":\(session)}}"
            #expect(Judge.reason(body, token: token) == .otherToken, "\(session)")
        }
        for user in [
            "admin", "urn:uuid:\(Judge.otherUser)", Judge.otherUser.filter { $0 != "-" }, " ", "\(Judge.otherUser) ",
            // Not even the same one written otherwise: Hanko has one form.
            "urn:uuid:\(Judge.user)", Judge.user.filter { $0 != "-" }, "{\(Judge.user)}",
        ] {
            let body = "{\"is_valid\":true,\"user_id\":\"\(user)\"}"
            #expect(Judge.reason(body, token: token) == .otherToken, "\(user)")
        }
        for user in [Judge.nilUUID, ""] {
            #expect(Judge.reason("{\"is_valid\":true,\"user_id\":\"\(user)\"}", token: token) == .userUnusable)
        }
        for silent in ["{\"is_valid\":true}", #"{"is_valid":true,"user_id":null,"claims":{"session_id":null}}"#] {
            #expect(Judge.reason(silent, token: token) == .accepted)
        }
    }

    /// A test double may have users of another form.
    @Test func aSubjectThatIsNoUUIDIsComparedByteByByte() {
        let token = Judge.token(payload: #"{"session_id":"\#(Judge.session)","sub":"ad\u0061"}"#)
        func reason(_ user: String) -> VerdictReason {
            Judge.reason("{\"is_valid\":true,\"user_id\":\(user)}", token: token)
        }
        #expect(reason(#""ada""#) == .accepted)
        #expect(reason(#""\u0061da""#) == .accepted)
        #expect(reason(#""Ada""#) == .otherToken)
        #expect(reason("\"\(Judge.user)\"") == .otherToken)
        let number = Judge.token(payload: #"{"session_id":"\#(Judge.session)","sub":7}"#)
        #expect(Judge.reason(#"{"is_valid":true,"user_id":"7"}"#, token: number) == .otherToken)
    }

    @Test func anAnswerWithAnotherExpiryIsAnotherTokens() {
        let token = Judge.token(payload: Judge.validPayload)
        func reason(_ expiry: String) -> VerdictReason {
            Judge.reason("{\"is_valid\":true,\"expiration_time\":\(expiry)}", token: token)
        }
        for same in [#""2026-11-23T01:00:34Z""#, #""2026-11-23T02:00:34+01:00""#, #""2026-11-23T01:00:34.9Z""#, "null"]
        {
            #expect(reason(same) == .accepted, "\(same)")
        }
        for other in [#""2026-11-23T01:00:35Z""#, #""2026-11-23T01:00:33Z""#, #""2036-11-23T01:00:34Z""#] {
            #expect(reason(other) == .otherToken, "\(other)")
        }
        #expect(reason("1795395634") == .expiryUnreadable)
        // A payload that says nothing of its expiry contradicts nothing.
        let silent = Judge.token(payload: #"{"session_id":"\#(Judge.session)"}"#)
        #expect(
            Judge.reason(#"{"is_valid":true,"expiration_time":"2026-11-23T01:00:35Z"}"#, token: silent) == .accepted)
        let unreadable = Self.token(expiring: #""2026-11-23T01:00:34Z""#)
        let body = #"{"is_valid":true,"expiration_time":"2026-11-23T01:00:34Z"}"#
        #expect(Judge.reason(body, token: unreadable) == .otherToken)
    }

    /// No custom claim is compared: the recorded answer `custom-claims` is a yes.
    @Test func noOtherClaimIsCompared() {
        let token = Judge.token(payload: Judge.validPayload)
        let claims = #""expiration":"2000-01-01T00:00:00Z","issued_at":"x","audience":["evil"],"subject":"mallory""#
        let body = "{\"is_valid\":true,\"user_id\":\"\(Judge.user)\",\"claims\":{\(claims)}}"
        #expect(Judge.reason(body, token: token) == .accepted)
    }

    @Test func aPayloadThatIsNoSessionsIsComparedByItsUserAlone() {
        for mine in [#""session-1""#, "7", "null"] {
            for theirs in ["\"\(Judge.otherSession)\"", #""session-1""#, "7", "null"] {
                let token = Judge.token(payload: "{\"session_id\":\(mine),\"exp\":1795395699}")
                let body = """
                    {"is_valid":true,"expiration_time":"2026-11-23T01:00:34Z","claims":{"session_id":\(theirs)}}
                    """
                #expect(Judge.reason(body, token: token) == .accepted, "\(mine) \(theirs)")
            }
        }
        let named = Judge.token(payload: #"{"sub":"ada"}"#)
        #expect(Judge.reason("{\"is_valid\":true,\"user_id\":\"\(Judge.otherUser)\"}", token: named) == .accepted)
    }

    @Test func theSubjectOfTheClaimsIsNotComparedBecauseACustomClaimMayOverwriteIt() {
        let body = "{\"is_valid\":true,\"claims\":{\"subject\":\"\(Judge.otherUser)\"}}"
        #expect(Judge.reason(body, token: Judge.token(payload: Judge.validPayload)) == .accepted)
    }

    @Test func whiteSpaceAroundATokenHidesNoMismatch() {
        let token = Array(" \r\n\t".utf8) + Judge.token(payload: Judge.validPayload) + Array("\n".utf8)
        #expect(Judge.reason("{\"is_valid\":true,\"user_id\":\"\(Judge.otherUser)\"}", token: token) == .otherToken)
    }

    @Test(arguments: ["test-token", "a.b", "x", "eyJhbGciOiJSUzI1NiJ9", "e30.e30"])
    func aTokenThatIsNoJWSIsJudgedByTheAnswerAlone(_ text: String) {
        let token = Array(text.utf8)
        let body = """
            {"is_valid":true,"user_id":"\(Judge.otherUser)","claims":{"session_id":"\(Judge.otherSession)",\
            "audience":"app"}}
            """
        #expect(Judge.reason(body, token: token) == .accepted)
        // Who writes `claims.audience` is not known.
        #expect(Judge.reason(body, token: token, audiences: ["app"]) == .audienceUnknown)
    }

    @Test func aPayloadWithoutAUUIDAsSessionIsNoSourceOfClaims() {
        for session in ["", #""session_id":"session-1","#, #""session_id":7,"#, #""session_id":null,"#] {
            let token = Judge.token(payload: "{\(session)\"sub\":\"\",\"exp\":1,\"aud\":\"app\"}")
            #expect(Judge.reason(Self.yes, token: token) == .accepted)
            let body = #"{"is_valid":true,"claims":{"audience":"app"}}"#
            for answer in [Self.yes, body] {
                #expect(Judge.reason(answer, token: token, audiences: ["app"]) == .audienceUnknown)
            }
        }
    }

    // MARK: Expiry

    private static func answer(expiring expiry: String) -> String {
        "{\"is_valid\":true,\"expiration_time\":\(expiry)}"
    }

    private static func claims(expiring expiry: String) -> String {
        "{\"is_valid\":true,\"claims\":{\"expiration\":\(expiry)}}"
    }

    private static func token(expiring expiry: String) -> [UInt8] {
        Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"exp\":\(expiry)}")
    }

    @Test func aMinuteOfExpiryIsTolerated() {
        for body in [
            Self.answer(expiring: #""2026-11-22T12:59:34Z""#), Self.claims(expiring: #""2026-11-22T12:59:34Z""#),
        ] {
            #expect(Judge.reason(body) == .accepted)
            #expect(Judge.reason(body, now: Judge.now + 1) == .expired(secondsAgo: 61))
            #expect(Judge.reason(body, now: Judge.now - 100_000) == .accepted)
        }
        let token = Self.token(expiring: "\(Judge.now - 60)")
        #expect(Judge.reason(Self.yes, token: token) == .accepted)
        #expect(Judge.reason(Self.yes, token: token, now: Judge.now + 1) == .expired(secondsAgo: 61))
        #expect(VerdictReason.expired(secondsAgo: 61).status == .protocolError)
    }

    @Test func theZeroTimeOfGoIsLongAgo() {
        let zero = #""0001-01-01T00:00:00Z""#
        let expected = VerdictReason.expired(secondsAgo: Judge.now + 62_135_596_800)
        #expect(Judge.reason(Self.answer(expiring: zero)) == expected)
        #expect(Judge.reason(Self.claims(expiring: zero)) == expected)
    }

    @Test(arguments: [
        #""""#, #""never""#, #""2026-11-23""#, #""2026-11-23T01:00:34""#, #""2026-13-23T01:00:34Z""#,
        #""2026-11-23 01:00:34Z""#, #"" 2026-11-23T01:00:34Z""#, #""1795395634""#, #""2026-11-23T01:00:34Z\u0000""#,
        "1795395634", "true", "false", "[]", #"["2026-11-23T01:00:34Z"]"#, "{}",
    ])
    func anExpiryInAnAnswerThatIsNoTimeIsNotGuessedAt(_ expiry: String) {
        #expect(Judge.reason(Self.answer(expiring: expiry)) == .expiryUnreadable)
        #expect(Judge.reason(Self.claims(expiring: expiry)) == .expiryUnreadable)
        #expect(VerdictReason.expiryUnreadable.status == .protocolError)
    }

    @Test(arguments: [
        #""2026-11-23T01:00:34Z""#, #""1795395634""#, #""""#, "true", "[]", "{}", "1.7e9", "99999999999999999999",
    ])
    func anExpiryInAPayloadThatIsNoNumberOfSecondsIsNotGuessedAt(_ expiry: String) {
        #expect(Judge.reason(Self.yes, token: Self.token(expiring: expiry)) == .expiryUnreadable)
    }

    @Test func theExpiryAtTheTopCountsFirstThenThatOfThePayloadThenThatOfTheClaims() {
        let good = #""2026-11-23T01:00:34Z""#
        let bad = #""2020-01-01T00:00:00Z""#
        func body(_ top: String, _ claim: String) -> String {
            "{\"is_valid\":true,\"expiration_time\":\(top),\"claims\":{\"expiration\":\(claim)}}"
        }
        func isExpired(_ reason: VerdictReason) -> Bool {
            if case .expired = reason { return true }
            return false
        }
        let goodToken = Self.token(expiring: "1795395634")
        let badToken = Self.token(expiring: "1577836800")
        let nullToken = Self.token(expiring: "null")
        #expect(Judge.reason(body(good, bad), token: goodToken) == .accepted)
        #expect(Judge.reason(body(good, "7"), token: nullToken) == .accepted)
        #expect(isExpired(Judge.reason(body(bad, good), token: badToken)))
        #expect(isExpired(Judge.reason(body(bad, good), token: nullToken)))
        #expect(Judge.reason(body("null", bad), token: goodToken) == .accepted)
        #expect(Judge.reason(body("null", "[]"), token: goodToken) == .accepted)
        #expect(isExpired(Judge.reason(body("null", good), token: badToken)))
        #expect(isExpired(Judge.reason(body("null", bad), token: nullToken)))
        #expect(isExpired(Judge.reason(body("null", bad))))
        #expect(Judge.reason(body("null", good), token: nullToken) == .accepted)
        #expect(Judge.reason(body("null", "null"), token: nullToken) == .accepted)
    }

    @Test func aClockThatIsMoreThanAMinuteOffIsNamed() {
        let body = Self.answer(expiring: #""2026-11-22T12:59:33Z""#)
        #expect(Judge.reason(body) == .expired(secondsAgo: 61))
        #expect(Judge.reason(body, date: Judge.now) == .expired(secondsAgo: 61))
        #expect(Judge.reason(body, date: Judge.now - 60) == .expired(secondsAgo: 61))
        #expect(Judge.reason(body, date: Judge.now + 60) == .expired(secondsAgo: 61))
        #expect(Judge.reason(body, date: Judge.now - 61) == .clockOff(seconds: 61))
        #expect(Judge.reason(body, date: Judge.now + 61) == .clockOff(seconds: -61))
        #expect(VerdictReason.clockOff(seconds: 61).status == .misconfigured)
        #expect(VerdictReason.clockOff(seconds: 61).text.contains("61 s ahead"))
        #expect(VerdictReason.clockOff(seconds: -61).text.contains("61 s behind"))
    }

    @Test func aClockThatIsOffIsOfNoMatterWhileTheSessionIsGood() {
        for date in [Judge.now - 1_000_000, Judge.now + 1_000_000, 0] {
            #expect(Judge.reason(Judge.validAnswer, date: date) == .accepted)
            #expect(Judge.reason(#"{"is_valid":false}"#, date: date) == .rejected)
        }
    }

    // MARK: Audiences

    @Test(arguments: [
        (#""app""#, true),
        (#"["app"]"#, true),
        (#"["x","app"]"#, true),
        (#"["app","x"]"#, true),
        (#"["second"]"#, true),
        (#"[1,null,true,[],{},"app"]"#, true),
        (#"["\u0061pp"]"#, true),
        (#""\u0061pp""#, true),
        (#""APP""#, false),
        (#"["App"]"#, false),
        (#""apps""#, false),
        (#""ap""#, false),
        (#"" app""#, false),
        (#""app\u0000""#, false),
        (#""app,second""#, false),
        (#""""#, false),
        (#"[]"#, false),
        (#"[""]"#, false),
        (#"["x"]"#, false),
        (#"[["app"]]"#, false),
        (#"[{"app":"app"}]"#, false),
        (#"{"app":"app"}"#, false),
        ("7", false),
        ("true", false),
        ("null", false),
    ])
    func oneOfTheConfiguredAudiencesMustBeTheSessions(_ audience: String, _ matches: Bool) {
        let expected = matches ? VerdictReason.accepted : .audienceMismatch
        let configured = ["app", "second"]
        let body = "{\"is_valid\":true,\"claims\":{\"audience\":\(audience)}}"
        let token = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"aud\":\(audience)}")
        #expect(Judge.reason(Self.yes, token: token, audiences: configured) == expected)
        // Without configured audiences nothing of this is looked at.
        #expect(Judge.reason(body) == .accepted)
        #expect(Judge.reason(Self.yes, token: token) == .accepted)
    }

    @Test func aSessionWithoutAnAudienceMatchesNone() {
        let token = Judge.token(payload: "{\"session_id\":\"\(Judge.session)\"}")
        for body in [
            Self.yes, #"{"is_valid":true,"claims":{}}"#, #"{"is_valid":true,"audience":"app"}"#,
            #"{"is_valid":true,"aud":"app"}"#, #"{"is_valid":true,"claims":{"aud":"app"}}"#,
            #"{"is_valid":true,"claims":{"audience":"app"}}"#,
        ] {
            #expect(Judge.reason(body, token: token, audiences: ["app"]) == .audienceMismatch)
            #expect(Judge.reason(body, audiences: ["app"]) == .audienceUnknown)
        }
    }

    /// A custom claim of that name can overwrite it.
    @Test func theAudienceOfTheClaimsNeverCounts() {
        func token(_ audience: String) -> [UInt8] {
            Judge.token(payload: "{\"session_id\":\"\(Judge.session)\",\"aud\":\(audience)}")
        }
        func body(_ audience: String) -> String { "{\"is_valid\":true,\"claims\":{\"audience\":\(audience)}}" }
        let app = #""app""#
        let other = #""other""#
        #expect(Judge.reason(body(other), token: token(app), audiences: ["app"]) == .accepted)
        #expect(Judge.reason(body(app), token: token(other), audiences: ["app"]) == .audienceMismatch)
        #expect(Judge.reason(body(app), token: token("[]"), audiences: ["app"]) == .audienceMismatch)
        for none in ["7", "{}", "null"] {
            #expect(Judge.reason(body(app), token: token(none), audiences: ["app"]) == .audienceMismatch)
        }
    }

    @Test(arguments: [VerdictReason.audienceMismatch, .audienceUnknown])
    func aMismatchOfAudiencesIsANoThatAnOperatorMustSee(_ reason: VerdictReason) {
        #expect(reason.status == .invalidToken)
        #expect(reason.logLevel == .error)
        #expect(reason.isForAudience)
    }

    // MARK: Texts for C

    @Test(arguments: [
        #"{"is_valid":true,"user_id":"ada\u0000lovelace"}"#,
        #"{"is_valid":true,"user_id":"\u0000"}"#,
        #"{"is_valid":true,"claims":{"subject":"ada\u0000"}}"#,
        #"{"is_valid":true,"claims":{"session_id":"s\u0000"}}"#,
        #"{"is_valid":true,"claims":{"email":{"address":"a@b.c\u0000.evil"}}}"#,
        #"{"is_valid":true,"claims":{"username":"\u0000ada"}}"#,
        #"{"is_valid":true,"user_id":"\#(Judge.user)","claims":{"username":"a\u0000"}}"#,
    ])
    func aNULInATextThatCReadsIsRefused(_ body: String) {
        #expect(Judge.reason(body) == .textUnusable)
        #expect(VerdictReason.textUnusable.status == .protocolError)
    }

    @Test func aNULInThePayloadsUserIsRefused() {
        let token = Judge.token(payload: #"{"session_id":"\#(Judge.session)","sub":"ada\u0000"}"#)
        #expect(Judge.reason(Self.yes, token: token) == .textUnusable)
    }

    @Test(arguments: [
        #"{"is_valid":true,"note":"a\u0000b"}"#,
        #"{"is_valid":true,"a\u0000b":1}"#,
        #"{"is_valid":true,"claims":{"note":"a\u0000b"}}"#,
        #"{"is_valid":true,"claims":{"email":{"note":"a\u0000b"}}}"#,
        #"{"is_valid":true,"user_id":"ada","claims":{"username":"\u0001\n"}}"#,
    ])
    func aNULElsewhereIsOfNoMatter(_ body: String) {
        #expect(Judge.reason(body) == .accepted)
    }

    // MARK: 400

    @Test(arguments: [
        (#"{"code":400,"message":"failed to parse token claims: 'subject' is not a uuid"}"#, true),
        (#"{"code":400,"message":"failed to parse token claims"}"#, true),
        (#"{"message":"failed to parse token claims","code":400,"x":[1]}"#, true),
        (#"{"code":400,"message":"f\u0061iled to parse token claims: x"}"#, true),
        ("", false),
        ("{}", false),
        ("null", false),
        (#"{"is_valid":true}"#, false),
        (#"{"is_valid":false}"#, false),
        (#"{"code":400,"message":"missing tenant id"}"#, false),
        (#"{"code":400,"message":"Failed to parse token claims"}"#, false),
        (#"{"code":400,"message":" failed to parse token claims"}"#, false),
        (#"{"code":400,"message":"x: failed to parse token claims"}"#, false),
        (#"{"code":400,"message":"failed to parse"}"#, false),
        (#"{"code":400,"message":["failed to parse token claims"]}"#, false),
        (#"{"code":400,"message":null}"#, false),
        (#"{"code":400}"#, false),
        (#"{"message":"failed to parse token claims"}"#, false),
        (#"{"code":"400","message":"failed to parse token claims"}"#, false),
        (#"{"code":401,"message":"failed to parse token claims"}"#, false),
        (#"{"code":4e2,"message":"failed to parse token claims"}"#, false),
        (#"{"code":null,"message":"failed to parse token claims"}"#, false),
        (#"{"error":{"code":400,"message":"failed to parse token claims"}}"#, false),
        (#"[{"code":400,"message":"failed to parse token claims"}]"#, false),
        (#"{"code":400,"message":"failed to parse token claims""#, false),
        (#"{"code":400,"message":"failed to parse token claims"} x"#, false),
        (#"{"code":400,"code":400,"message":"failed to parse token claims"}"#, false),
        ("failed to parse token claims", false),
        ("<html>400 Bad Request</html>", false),
    ])
    func onlyHankosOwnWordsBlameTheTokenForA400(_ body: String, _ blamesToken: Bool) {
        let expected = blamesToken ? VerdictReason.claimsUnreadable : .wrongAddress(400)
        #expect(Judge.reason(body, status: 400) == expected)
        #expect(expected.status == (blamesToken ? .invalidToken : .misconfigured))
    }

    @Test func a400ThatWasCutOffBlamesNobody() {
        let body = #"{"code":400,"message":"failed to parse token claims"}"#
        #expect(Judge.reason(body, status: 400) { $0.bodyTooLarge = true } == .wrongAddress(400))
        #expect(Judge.reason(body, status: 400) { $0.hasBrokenLength = true } == .wrongAddress(400))
        #expect(Judge.reason(body, status: 400) { $0.isEncoded = true } == .wrongAddress(400))
        #expect(Judge.reason(body, status: 400) { $0.isEarly = true } == .wrongAddress(400))
    }

    /// Whoever answers 400 in another shape may not have read the request, so its connection is closed.
    @Test(arguments: [
        (#"{"code":400,"message":"failed to parse token claims"}"#, true),
        (#"{"code":400,"message":"unexpected EOF"}"#, true), (#"{"message":"","code":400,"x":[1]}"#, true),
        (#"{"code":400}"#, false), (#"{"message":"x"}"#, false), (#"{"code":400,"message":5}"#, false),
        (#"{"code":404,"message":"x"}"#, false), (#"{"code":400,"message":"x""#, false), ("", false),
        ("<html>", false), (#"[{"code":400,"message":"x"}]"#, false),
    ])
    func a400HasHankosShapeOrNot(_ body: String, _ hasShape: Bool) {
        func shape(_ status: Int, _ change: (inout Answer) -> Void = { _ in }) -> Bool {
            withBytes(of: body) { body in
                guard case .answer(var answer) = Ends.answer(status, { $0.body = body }) else { return false }
                change(&answer)
                return Verdict.hasHankosShape(answer)
            }
        }
        #expect(shape(400) == hasShape)
        for status in [200, 401, 404, 500] { #expect(!shape(status)) }
        #expect(!shape(400) { $0.bodyTooLarge = true })
        #expect(!shape(400) { $0.isEncoded = true })
        #expect(!shape(400) { $0.hasBrokenLength = true })
        #expect(!shape(400) { $0.headTooLarge = true })
    }

    // MARK: Other statuses

    @Test(arguments: [413, 431])
    func aRefusalForLengthBlamesOnlyALongToken(_ status: Int) {
        for length in [1, 1_000, 16_383, 16_384] {
            let reason = Judge.reason("", status: status, token: [UInt8](repeating: 0x61, count: length))
            #expect(reason == .wrongAddress(status))
            #expect(reason.status == .misconfigured)
        }
        for length in [16_385, 100_000, 262_144] {
            let reason = Judge.reason("", status: status, token: [UInt8](repeating: 0x61, count: length))
            #expect(reason == .tokenRefusedForLength(status))
            #expect(reason.status == .invalidToken)
        }
    }

    /// Every status from 0 to 999 has the row of the table that it belongs to, and the body changes nothing.
    @Test func theStatusIsLookedAtBeforeTheBody() {
        var count = 0
        for status in -1...999 where status != 200 {
            let expected: Status
            switch status {
            case 408, 425, 429: expected = .unavailable
            case 500...599: expected = .unavailable
            case 300...499: expected = .misconfigured
            default: expected = .protocolError
            }
            for body in [Self.yes, #"{"is_valid":false}"#, ""] {
                let reason = Judge.reason(body, status: status)
                #expect(reason.status == expected, "\(status)")
                #expect(reason.code == status, "\(status)")
                count += 1
            }
            // What was cut off or contradicts itself cannot matter either where nobody reads it.
            let cutOff = Judge.reason(Self.yes, status: status) {
                $0.bodyTooLarge = true
                $0.hasBrokenLength = true
            }
            #expect(cutOff.status == expected, "\(status)")
        }
        #expect(count == 3_000)
    }

    @Test func onlyTwoStatusesNeedTheBody() {
        #expect((-1...999).filter { ExchangeMeaning.of(status: $0).needsBody } == [200, 400])
    }

    @Test func advicesNameWhatToCheck() {
        for status in [400, 404, 409] { #expect(VerdictReason.wrongAddress(status).text.contains("HANKO_API_URL")) }
        for status in [301, 302, 303, 307, 308] {
            #expect(VerdictReason.wrongAddress(status).text.contains("redirect (\(status))"))
        }
        #expect(VerdictReason.wrongAddress(400).text.contains("tenant"))
        #expect(VerdictReason.wrongAddress(404).text.contains("tenant"))
        for status in [401, 403, 407] { #expect(VerdictReason.wrongAddress(status).text.contains("gateway")) }
        #expect(VerdictReason.serverFailed(429).text.contains("rate limits"))
        #expect(VerdictReason.serverFailed(503).text.contains("503"))
    }

    // MARK: No answer

    @Test(arguments: TransportFailure.samples)
    func aFailureKeepsItsStatus(_ failure: TransportFailure, _ expected: Status) throws {
        for token in [Judge.token(payload: Judge.validPayload), Array("test-token".utf8)] {
            let reason = try withBytes(token) {
                Verdict.judge(
                    .failure(failure), token: try SessionToken($0), audiences: [], now: Judge.now, wantsSession: false
                ).reason
            }
            #expect(reason == .transport(failure))
            #expect(reason.status == expected)
            #expect(reason.code == 0)
            #expect(reason.text == failure.text)
        }
    }

    // MARK: Never a yes by mistake

    @Test func mutatedAnswersAreAcceptedOnlyWhereIsValidIsStillTrue() {
        /// Another reader of JSON, and one that never takes a number or a text for true.
        struct Reading: Decodable {
            let isValid: Bool

            enum CodingKeys: String, CodingKey { case isValid = "is_valid" }
        }
        let token = Judge.token(payload: Judge.validPayload)
        var generator = SeededGenerator(seed: 20_261_122)
        var accepted = 0
        var refused = 0
        for (original, runs) in [(Judge.validAnswer, 4_000), (#"{"is_valid":true}"#, 8_000)] {
            for _ in 0..<runs {
                let body = Self.mutated(Array(original.utf8), &generator)
                let reason = Judge.reason(body, token: token)
                guard reason == .accepted else {
                    refused += 1
                    continue
                }
                accepted += 1
                let reading = try? JSONDecoder().decode(Reading.self, from: Data(body))
                #expect(reading?.isValid == true, "\(String(decoding: body, as: UTF8.self))")
            }
        }
        #expect(accepted > 300)
        #expect(refused > 3_000)
    }

    private static func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, start + Int.random(in: 1...12, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[start] = UInt8.random(in: 0...0xFF, using: &generator)
            case 2: bytes.removeSubrange(start..<end)
            case 3: bytes.insert(contentsOf: bytes[start..<end], at: end)
            case 4: bytes.insert(Array("{}[]\",:truefalsn0 ".utf8).randomElement(using: &generator) ?? 0, at: start)
            default: bytes.swapAt(start, Int.random(in: 0..<bytes.count, using: &generator))
            }
        }
        return bytes
    }
}
