import HankoCore
import Testing

@Suite struct CookieHeaderTests {
    private static func values(of name: String, in header: String) -> [String] {
        withBytes(of: name) { name in
            withBytes(of: header) { header in
                var cookies = CookieHeader(header, name: name)
                var found: [String] = []
                while let value = cookies.next() { found.append(value.text()) }
                return found
            }
        }
    }

    @Test(arguments: [
        ("hanko=a", ["a"]),
        ("hanko=a; other=b", ["a"]),
        ("other=b; hanko=a", ["a"]),
        ("other=b; hanko=a; more=c", ["a"]),
        // Browsers do send two of one name; the order is kept.
        ("hanko=a; hanko=b", ["a", "b"]),
        ("hanko=b; x=y; hanko=a; hanko=b", ["b", "a", "b"]),
        // As some programs write it.
        ("hanko=a;hanko=b", ["a", "b"]),
        (" hanko =a ", ["a"]),
        ("\thanko\t=a\t", ["a"]),
        ("\r\nhanko\n=a\r", ["a"]),
        (";;hanko=a;;", ["a"]),
        ("; hanko=a", ["a"]),
        ("hanko=a;", ["a"]),
    ])
    func theValuesOfANameComeInTheOrderSent(_ header: String, _ expected: [String]) {
        #expect(Self.values(of: "hanko", in: header) == expected)
    }

    @Test(arguments: [
        "xhanko=a", "hanko2=a", "hankox=a", "Hanko=a", "HANKO=a", "hank=a", "=a", "", ";", "; ;", "a",
        "hanko.x=a", "x=hanko=a", "x=hanko", "\"hanko\"=a", "hanko x=a", "$hanko=a", "hanko,hanko=a", "x=1, hanko=a",
        "hanko\u{A0}=a",
    ])
    func aNameMatchesExactly(_ header: String) {
        #expect(Self.values(of: "hanko", in: header).isEmpty)
    }

    @Test(arguments: [
        ("hanko=a=b", "a=b"),
        ("hanko==", "="),
        ("hanko=a b", "a b"),
        ("hanko=a,b", "a,b"),
        ("hanko= a", " a"),
        ("hanko=%22a%22", "%22a%22"),
        ("hanko=", ""),
        ("hanko", ""),
    ])
    func aValueIsTakenAsItIs(_ header: String, _ value: String) {
        #expect(Self.values(of: "hanko", in: header) == [value])
    }

    @Test(arguments: [
        ("hanko=\"a\"", "a"),
        ("hanko=\"a\" ", "a"),
        ("hanko=\"\"", ""),
        ("hanko=\" a \"", " a "),
    ])
    func oneWholePairOfQuotesIsTakenOff(_ header: String, _ value: String) {
        #expect(Self.values(of: "hanko", in: header) == [value])
    }

    /// Go's `validCookieValueByte`; the cookies beside them stay.
    @Test(arguments: [
        "\"", "\"a", "a\"", "a\"b\"", "\"\"a\"\"", " \"a\"", "a\\b", "\"a\\b\"", "a\tb", "a\nb", "\u{1}", "\u{1F}",
        "\u{7F}", "a\u{7F}",
        "é", "😀", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u{7F}",
    ])
    func aValueThatGoDropsIsNone(_ value: String) {
        #expect(Self.values(of: "hanko", in: "hanko=\(value)") == [])
        #expect(Self.values(of: "hanko", in: "hanko=x; hanko=\(value); hanko=y") == ["x", "y"])
    }

    @Test func eachByteIsAllowedWhereGoAllowsIt() {
        for byte in UInt8(1)...0xFF where byte != 0x3B {
            let header = Array("hanko=a".utf8) + [byte] + Array("b".utf8)
            let isAllowed = (0x20..<0x7F).contains(byte) && byte != 0x22 && byte != 0x5C
            withBytes(header) { header in
                var cookies = CookieHeader(header, name: ByteView("hanko"))
                #expect((cookies.next() != nil) == isAllowed, "\(byte)")
            }
        }
    }

    @Test func otherNamesCanBeLookedFor() {
        let header = "hanko=a; __Host-token=b; x!#$%&'*+-.^_`|~=c"
        #expect(Self.values(of: "__Host-token", in: header) == ["b"])
        #expect(Self.values(of: "x!#$%&'*+-.^_`|~", in: header) == ["c"])
    }

    @Test func afterTheLastThereIsNone() {
        withBytes(of: "hanko=a; hanko=b") { header in
            var cookies = CookieHeader(header, name: ByteView("hanko"))
            #expect(cookies.next()?.text() == "a")
            #expect(cookies.next()?.text() == "b")
            for _ in 0..<3 { #expect(cookies.next()?.text() == nil) }
        }
    }

    @Test func manyCookiesAreAllLookedAt() {
        let header = (0..<10_000).map { $0 % 100 == 7 ? "hanko=\($0)" : "c\($0)=\($0)" }.joined(separator: "; ")
        #expect(Self.values(of: "hanko", in: header) == (0..<100).map { "\($0 * 100 + 7)" })
    }

    /// The grammar by the simplest means, for everything that text can be made of.
    @Test func randomHeadersAreReadAsASplitWouldReadThem() {
        func trimmed(_ text: Substring) -> Substring {
            var text = text
            while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
            while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
            return text
        }
        var dice = SeededGenerator(seed: 6_265)
        let pieces = ["hanko", "hank", "o", "=", "=", ";", "; ", " ", "\t", "\"", "a", "é", ","]
        var found = 0
        for _ in 0..<20_000 {
            let header = (0..<dice.below(14)).map { _ in pieces[dice.below(pieces.count)] }.joined()
            var expected: [String] = []
            for pair in header.split(separator: ";", omittingEmptySubsequences: false) {
                let pair = trimmed(pair)
                let equals = pair.firstIndex(of: "=") ?? pair.endIndex
                guard trimmed(pair[..<equals]) == "hanko" else { continue }
                var value = pair[equals...].dropFirst()
                if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
                if value.allSatisfy({ !"\"\té".contains($0) }) { expected.append(String(value)) }
            }
            #expect(Self.values(of: "hanko", in: header) == expected, "\(header)")
            found += expected.count
        }
        #expect(found > 500)
    }
}
