@testable import HankoCore
import Testing

/// The design's "Credentials", sentence by sentence.
@Suite struct CredentialsTests {
    private struct Found: Equatable {
        var candidates: [[UInt8]]
        var holdNUL: Bool
        var refusal: VerdictReason?

        var texts: [String] { candidates.map { String(decoding: $0, as: UTF8.self) } }
    }

    private static func find(
        cookie: [UInt8], authorization: [UInt8] = [], name: String = "hanko"
    ) -> Found {
        withBytes(cookie) { cookie in
            withBytes(authorization) { authorization in
                withBytes(of: name) { name in
                    let found = Credentials(
                        cookie: cookie, authorization: authorization, cookieName: name, now: Judge.now)
                    return Found(
                        candidates: (0..<found.count).map { found[$0]?.text.bytes() ?? [] }, holdNUL: found.holdNUL,
                        refusal: found.refusal)
                }
            }
        }
    }

    private static func find(_ cookie: String, _ authorization: String = "", name: String = "hanko") -> [String] {
        find(cookie: Array(cookie.utf8), authorization: Array(authorization.utf8), name: name).texts
    }

    private static func refusal(_ cookie: String, _ authorization: String = "") -> VerdictReason? {
        find(cookie: Array(cookie.utf8), authorization: Array(authorization.utf8)).refusal
    }

    @Test func eitherMayBeMissing() {
        let none = Credentials(
            cookie: .empty, authorization: .empty, cookieName: ByteView("hanko"), now: Judge.now)
        #expect(none.count == 0)
        #expect(!none.holdNUL)
        #expect(Self.find("hanko=a") == ["a"])
        #expect(Self.find("", "Bearer b") == ["b"])
        #expect(Self.find("other=a", "Basic b") == [])
    }

    @Test func aBearerCredentialComesFirstAndThenTheCookiesInTheOrderSent() {
        #expect(Self.find("hanko=a; hanko=b", "Bearer c") == ["c", "a", "b"])
        #expect(Self.find("hanko=b; x=y; hanko=a", "bearer c") == ["c", "b", "a"])
        #expect(Self.find("hanko=b; hanko=a") == ["b", "a"])
        #expect(Self.find("hanko=a", "Basic c") == ["a"])
    }

    @Test func theCookieIsThatOfTheConfiguredName() {
        #expect(Self.find("hanko=a; mine=b; Mine=c", name: "mine") == ["b"])
        #expect(Self.find("xhanko=a; hanko2=b; Hanko=c") == [])
    }

    @Test func quotesAroundAValueAreStripped() {
        #expect(Self.find("hanko=\"a\"") == ["a"])
    }

    @Test func equalCandidatesCountOnce() {
        #expect(Self.find("hanko=a; hanko=a; hanko=b; hanko=a", "Bearer a") == ["a", "b"])
        #expect(Self.find("hanko=a; hanko=\"a\"; hanko= a; hanko=\"  a \"") == ["a"])
        // Also for the limit: equal ones use nothing of it up.
        let cookies = (["a", "a", "a", "a", "a", "b", "c", "b", "d", "e"].map { "hanko=\($0)" })
            .joined(separator: "; ")
        #expect(Self.find(cookies) == ["a", "b", "c", "d"])
        // Equal means every byte.
        #expect(Self.find("hanko=a; hanko=A; hanko=aa") == ["a", "A", "aa"])
    }

    @Test func atMostFourAreTried() {
        #expect(Credentials.maximumCount == 4)
        #expect(Self.find("hanko=1; hanko=2; hanko=3; hanko=4; hanko=5; hanko=6") == ["1", "2", "3", "4"])
        #expect(Self.find("hanko=1; hanko=2; hanko=3; hanko=4; hanko=5", "Bearer 0") == ["0", "1", "2", "3"])
        let many = (0..<5_000).map { "hanko=\($0)" }.joined(separator: "; ")
        #expect(Self.find(many) == ["0", "1", "2", "3"])
    }

    @Test func emptyOnesDoNotCount() {
        #expect(Self.find("hanko=; hanko=\"\"; hanko=a", "Bearer ") == ["a"])
        #expect(Self.find("hanko=") == [])
    }

    @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0x80]] as [[UInt8]])
    func thoseThatAreNotUTF8DoNotCount(_ bytes: [UInt8]) {
        let planted = Array("hanko=x".utf8) + bytes
        let found = Self.find(cookie: planted + Array("; hanko=good".utf8))
        #expect(found.texts == ["good"])
        #expect(!found.holdNUL)
        // They use nothing of the limit up either.
        let many = (0..<20).flatMap { _ in planted + Array("; ".utf8) } + Array("hanko=good".utf8)
        #expect(Self.find(cookie: many).texts == ["good"])
        let bearer = Self.find(cookie: Array("hanko=good".utf8), authorization: Array("Bearer ".utf8) + bytes)
        #expect(bearer.texts == ["good"])
        let alone = Self.find(cookie: planted, authorization: Array("Bearer ".utf8) + bytes)
        #expect(alone.refusal == .noToken)
    }

    @Test func everyOtherUnicodeCountsInABearerCredential() {
        #expect(Self.find("hanko=a", "Bearer é😀\u{10FFFF}") == ["é😀\u{10FFFF}", "a"])
        #expect(Self.find("", "Bearer \u{7F}") == ["\u{7F}"])
    }

    // MARK: What is no token

    @Test func whiteSpaceAroundOneIsCut() {
        #expect(Self.find("hanko= a; hanko=\" b \"", "Bearer \u{2003}c\u{A0}") == ["c", "a", "b"])
    }

    @Test func thoseThatNobodyNeedsToBeAskedAboutAreNoneAndAloneANo() {
        let blank = "hanko=\" \""
        let respelled = "hanko=a.b.c"
        #expect(Self.find("\(blank); \(respelled); hanko=good") == ["good"])
        #expect(Self.refusal("\(blank); \(respelled); hanko=good") == nil)
        #expect(Self.refusal(blank) == .tokenBlank)
        #expect(Self.refusal(respelled) == .tokenNotCanonical)
        #expect(Self.refusal("\(blank); \(respelled)") == .tokenBlank)
        #expect(Self.refusal("hanko=\(String(repeating: "a", count: 262_145))") == .tokenTooLong)
        #expect(Self.refusal("", "Bearer {}") == .tokenNotCanonical)
        #expect(Self.refusal("hanko=; hanko=\"\"") == .noToken)
        // They use nothing of the limit up.
        let many = String(repeating: "\(respelled)x; ", count: 50)
        #expect(Self.find("\(many)hanko=good") == ["good"])
    }

    // MARK: Which are asked about first

    private static func token(_ payload: String) -> String {
        String(decoding: Judge.token(payload: payload), as: UTF8.self)
    }

    private static func session(_ number: Int, expiring expiry: Int64 = Judge.now + 100) -> String {
        token(#"{"session_id":"\#(Judge.session)","exp":\#(expiry),"n":\#(number)}"#)
    }

    @Test func thoseThatCouldBeGoodComeFirst() {
        let (first, second) = (Self.session(1), Self.session(2))
        let expired = Self.session(3, expiring: Judge.now)
        let foreign = Self.token(#"{"sub":"\#(Judge.user)","exp":1795395634}"#)
        #expect(Self.find("hanko=x; hanko=\(first); hanko=y", "Bearer z") == [first, "z", "x", "y"])
        #expect(Self.find("hanko=\(expired); hanko=\(foreign); hanko=\(first)") == [first, expired, foreign])
        // Hanko's order within each.
        #expect(Self.find("hanko=\(second); hanko=\(first)") == [second, first])
        #expect(Self.find("hanko=x; hanko=\(second)", "Bearer \(first)") == [first, second, "x"])
    }

    @Test func whatIsPlantedLocksAGoodOneOutOnlyWhereItLooksGood() {
        let good = Self.session(0)
        let planted = (1...50).map { "hanko=planted\($0)" }.joined(separator: "; ")
        #expect(Self.find("\(planted); hanko=\(good)") == [good, "planted1", "planted2", "planted3"])
        let expired = (1...50).map { "hanko=\(Self.session($0, expiring: 1))" }.joined(separator: "; ")
        #expect(Self.find("\(expired); hanko=\(good)").first == good)
        let forged = (1...4).map { "hanko=\(Self.session($0))" }.joined(separator: "; ")
        #expect(!Self.find("\(forged); hanko=\(good)").contains(good))
    }

    @Test func equalOnesCountOnceWhereverTheyStand() {
        let good = Self.session(0)
        #expect(Self.find("hanko=\(good); hanko=x; hanko=\(good); hanko=x", "Bearer \(good)") == [good, "x"])
    }

    // MARK: The first of them

    private static func first(_ cookie: String, _ authorization: String = "") -> String? {
        withBytes(of: cookie) { cookie in
            withBytes(of: authorization) { authorization in
                var values = CredentialValues(
                    cookie: cookie, authorization: authorization, cookieName: ByteView("hanko"))
                return values.next()?.string
            }
        }
    }

    @Test func theFirstValueIsHankosFirstWhateverItIs() {
        let good = Self.session(0)
        #expect(Self.first("hanko=a.b.c; hanko=\(good)") == "a.b.c")
        #expect(Self.first("hanko=\(good)", "Bearer x") == "x")
        #expect(Self.first("hanko=; hanko= a") == " a")
        #expect(Self.first("hanko=") == nil)
        #expect(Self.first("") == nil)
    }

    @Test func aNULInEitherHeaderMeansThatNothingIsBelieved() {
        for (cookie, authorization) in [
            ("hanko=a\0", "Bearer b"), ("\0", "Bearer b"), ("hanko=a; x=\0", ""), ("hanko=a", "Bearer b\0"),
            ("hanko=a", "\0"), ("hanko=a", "Basic \0"), ("\0hanko=a", ""),
        ] {
            let found = Self.find(cookie: Array(cookie.utf8), authorization: Array(authorization.utf8))
            #expect(found == Found(candidates: [], holdNUL: true, refusal: .headerHoldsNUL))
        }
    }

    @Test func oneTokenIsTheOnlyCandidate() throws {
        try withBytes(of: "token") { token in
            let credentials = Credentials(try SessionToken(token))
            #expect(credentials.count == 1)
            #expect(credentials[0]?.text.text() == "token")
            #expect(!credentials.holdNUL)
            #expect(credentials.refusal == nil)
        }
    }

    @Test func copiesStandInMemoryOfTheirOwn() throws {
        let good = Self.session(0)
        var buffer = SecretBuffer()
        let copied = withBytes(of: "hanko=x; hanko=\(good)") { cookie in
            Credentials(cookie: cookie, authorization: .empty, cookieName: ByteView("hanko"), now: Judge.now)
                .copied(to: &buffer)
        }
        let copies = try #require(copied)
        #expect(copies.count == 2)
        #expect(copies[0]?.text.string == good)
        #expect(copies[0]?.mayBeGood(now: Judge.now) == true)
        #expect(copies[0]?.withClaimFields { $0?.sessionID.uuid != nil } == true)
        #expect(copies[1]?.text.string == "x")
        let count = buffer.count
        #expect(count == good.utf8.count + 1)
    }

    @Test func beyondTheLastThereIsNothing() {
        withBytes(of: "hanko=a; hanko=b; hanko=c; hanko=d; hanko=e") { cookie in
            let credentials = Credentials(
                cookie: cookie, authorization: .empty, cookieName: ByteView("hanko"), now: Judge.now)
            for index in [4, 5, 100, -1, Int.max, Int.min] { #expect(credentials[index]?.text == nil) }
        }
    }
}
