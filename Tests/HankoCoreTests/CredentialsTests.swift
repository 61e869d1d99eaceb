import HankoCore
import Testing

/// The design's "Credentials", sentence by sentence.
@Suite struct CredentialsTests {
    private struct Found: Equatable {
        var candidates: [[UInt8]]
        var holdNUL: Bool

        var texts: [String] { candidates.map { String(decoding: $0, as: UTF8.self) } }
    }

    private static func find(
        cookie: [UInt8], authorization: [UInt8] = [], name: String = "hanko"
    ) -> Found {
        withBytes(cookie) { cookie in
            withBytes(authorization) { authorization in
                withBytes(of: name) { name in
                    let found = Credentials(cookie: cookie, authorization: authorization, cookieName: name)
                    return Found(
                        candidates: (0..<found.count).map { found[$0].bytes() }, holdNUL: found.holdNUL)
                }
            }
        }
    }

    private static func find(_ cookie: String, _ authorization: String = "", name: String = "hanko") -> [String] {
        find(cookie: Array(cookie.utf8), authorization: Array(authorization.utf8), name: name).texts
    }

    @Test func eitherMayBeMissing() {
        let none = Credentials(cookie: .empty, authorization: .empty, cookieName: ByteView("hanko"))
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
        #expect(Self.find("hanko=a; hanko=\"a\"; hanko= a") == ["a"])
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
    }

    @Test func everyOtherUnicodeCounts() {
        #expect(Self.find("hanko=é😀\u{10FFFF}", "Bearer \u{7F}") == ["\u{7F}", "é😀\u{10FFFF}"])
    }

    @Test func aNULInEitherHeaderMeansThatNothingIsBelieved() {
        for (cookie, authorization) in [
            ("hanko=a\0", "Bearer b"), ("\0", "Bearer b"), ("hanko=a; x=\0", ""), ("hanko=a", "Bearer b\0"),
            ("hanko=a", "\0"), ("hanko=a", "Basic \0"), ("\0hanko=a", ""),
        ] {
            let found = Self.find(cookie: Array(cookie.utf8), authorization: Array(authorization.utf8))
            #expect(found == Found(candidates: [], holdNUL: true))
        }
    }

    @Test func oneTokenIsTheOnlyCandidate() {
        withBytes(of: "token") { token in
            let credentials = Credentials(token: token)
            #expect(credentials.count == 1)
            #expect(credentials[0].text() == "token")
            #expect(!credentials.holdNUL)
        }
        #expect(Credentials(token: .empty).count == 0)
    }

    @Test func beyondTheLastThereIsNothing() {
        withBytes(of: "hanko=a; hanko=b; hanko=c; hanko=d; hanko=e") { cookie in
            let credentials = Credentials(cookie: cookie, authorization: .empty, cookieName: ByteView("hanko"))
            for index in [4, 5, 100, -1, Int.max, Int.min] { #expect(credentials[index].isEmpty) }
        }
    }
}
