import Foundation
import HankoCore
import Testing

@Suite struct APIURLTests {
    /// What is read from an address: the text that libcurl gets, and what the requests for it say.
    private struct Found: Equatable {
        var text: String
        var target: String
        var host: String
        var isHTTPS: Bool
        var isLoopback: Bool
    }

    private static func found(_ text: String) throws -> Found {
        let url = try withBytes(of: text) { try APIURL($0) }
        #expect(url.text.last == 0 && !url.text.dropLast().contains(0))
        let token = ByteView("token")
        let validation = try request { url.writer.writeValidation(of: token, id: ReaderOutcome.id, to: &$0) }
        let keySet = try request { url.writer.writeKeySet(id: ReaderOutcome.id, to: &$0) }
        let validate = "/sessions/validate"
        #expect(validation.method == "POST" && keySet.method == "GET")
        #expect(validation.target.hasSuffix(validate))
        let target = String(validation.target.dropLast(validate.count))
        // Both go to the same place.
        #expect(keySet.target == target + "/.well-known/jwks.json")
        #expect(keySet.host == validation.host)
        return Found(
            text: String(decoding: url.text.dropLast(), as: UTF8.self), target: target, host: validation.host,
            isHTTPS: url.isHTTPS, isLoopback: url.isLoopback)
    }

    private static func request(
        _ write: (inout SecretBuffer) -> Bool
    ) throws -> (method: String, target: String, host: String) {
        var buffer = SecretBuffer()
        let isWritten = write(&buffer)
        try #require(isWritten)
        let text = try #require(buffer.withView { $0.string })
        let lines = text.components(separatedBy: "\r\n")
        let words = lines[0].components(separatedBy: " ")
        try #require(words.count == 3 && words[2] == "HTTP/1.1")
        let hosts = lines.prefix { !$0.isEmpty }.filter { $0.hasPrefix("Host: ") }
        try #require(hosts.count == 1)
        return (words[0], words[1], String(hosts[0].dropFirst(6)))
    }

    private static func refusal(_ bytes: [UInt8]) -> String? {
        do {
            _ = try withBytes(bytes) { try APIURL($0) }
            return nil
        } catch {
            return (error as? ConfigurationError).map { "\($0.text)" } ?? "another error"
        }
    }

    @Test(arguments: [
        ("https://tenant.hanko.io", "https://tenant.hanko.io/", "", "tenant.hanko.io"),
        ("https://tenant.hanko.io/", "https://tenant.hanko.io/", "", "tenant.hanko.io"),
        ("https://tenant.hanko.io///", "https://tenant.hanko.io///", "", "tenant.hanko.io"),
        ("https://example.com/auth", "https://example.com/auth", "/auth", "example.com"),
        ("https://example.com/auth/", "https://example.com/auth/", "/auth", "example.com"),
        ("https://example.com/auth//", "https://example.com/auth//", "/auth", "example.com"),
        ("https://example.com/a/b/c", "https://example.com/a/b/c", "/a/b/c", "example.com"),
        (
            "https://example.com/\(Judge.user)", "https://example.com/\(Judge.user)", "/\(Judge.user)", "example.com"
        ),
        ("https://example.com/a%20b", "https://example.com/a%20b", "/a%20b", "example.com"),
        ("https://example.com:8443", "https://example.com:8443/", "", "example.com:8443"),
        ("https://example.com:1", "https://example.com:1/", "", "example.com:1"),
        ("https://example.com:65535/x/", "https://example.com:65535/x/", "/x", "example.com:65535"),
        ("HTTPS://example.com", "https://example.com/", "", "example.com"),
        ("https://192.0.2.7", "https://192.0.2.7/", "", "192.0.2.7"),
        ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443/", "", "[2001:db8::7]:8443"),
        ("https://[2001:db8::7]/x", "https://[2001:db8::7]/x", "/x", "[2001:db8::7]"),
    ])
    func theAddressIsKeptAndTheRequestsAreForIt(
        _ given: String, _ text: String, _ target: String, _ host: String
    ) throws {
        let found = try Self.found(given)
        #expect(found == Found(text: text, target: target, host: host, isHTTPS: true, isLoopback: false))
    }

    @Test(arguments: [
        ("https://h.example:443", "h.example"), ("https://h.example:80", "h.example:80"),
        ("http://h.example:80", "h.example"), ("http://h.example:443", "h.example:443"),
        ("https://h.example:0443", "h.example"), ("http://[::1]:80", "[::1]"), ("http://[::1]:8000", "[::1]:8000"),
        ("https://h.example:", "h.example"),
    ])
    func theHostFieldNamesEveryPortButTheSchemesOwn(_ text: String, _ host: String) throws {
        #expect(try Self.found(text).host == host)
    }

    /// RFC 6874 keeps a zone on the machine that it is of: it is for connecting, and no part of the Host field.
    @Test(arguments: ["http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]:8000/x"])
    func aZoneIsForConnectingAlone(_ text: String) throws {
        let found = try Self.found(text)
        #expect(found.text.contains("%25eth0]"))
        #expect(found.host == (text.contains(":8000") ? "[fe80::1]:8000" : "[fe80::1]"))
        #expect(!found.isLoopback)
    }

    /// libcurl knows the form from 7.88 on, where it has libidn2 and the thread's locale is one of UTF-8.
    @Test func aHostBeyondASCIIIsNamedInItsASCIIForm() throws {
        #expect(try Self.found("https://xn--bcher-kva.example").host == "xn--bcher-kva.example")
        guard let locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil) else {
            print("not tested: there is no locale C.UTF-8 here")
            return
        }
        let before = uselocale(locale)
        defer {
            uselocale(before)
            freelocale(locale)
        }
        if let refusal = Self.refusal(Array("https://bücher.example:8443/x".utf8)) {
            print("not tested: this libcurl knows no ASCII form of a host: \(refusal)")
            return
        }
        let found = try Self.found("https://bücher.example:8443/x")
        #expect(found.host == "xn--bcher-kva.example:8443" && found.target == "/x")
    }

    /// Otherwise the words say what to write; it is no shortage, which somebody might try again.
    @Test func aHostWithoutAnASCIIFormIsAWrongSetting() throws {
        let locale = try #require(newlocale(1 << LC_CTYPE, "C", nil))
        let before = uselocale(locale)
        defer {
            uselocale(before)
            freelocale(locale)
        }
        let found = Self.withoutLeakDetection { Self.refusal(Array("https://bücher.example/x".utf8)) }
        // libcurl 7.88 says that it has no memory where it cannot convert the name.
        let refusal = try #require(found)
        #expect(refusal.contains("xn--"), "\(refusal)")
        #expect(refusal.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(refusal)")
    }

    /// libcurl 7.88 loses a few bytes where it cannot convert a name; AddressSanitizer would call the run failed for it.
    private static func withoutLeakDetection<Result>(_ body: () -> Result) -> Result {
        typealias Switch = @convention(c) () -> Void
        let disable = dlsym(nil, "__lsan_disable").map { unsafeBitCast($0, to: Switch.self) }
        let enable = dlsym(nil, "__lsan_enable").map { unsafeBitCast($0, to: Switch.self) }
        disable?()
        defer { enable?() }
        return body()
    }

    @Test(arguments: [
        ("/é", "/%C3%A9"), ("/%C3%A9", "/%C3%A9"), ("/%c3%a9/", "/%c3%a9"), ("/a%2Fb", "/a%2Fb"),
        ("/%E2%82%AC/\(Judge.user)", "/%E2%82%AC/\(Judge.user)"), ("/a+b;c=d", "/a+b;c=d"), ("/a%00b", "/a%00b"),
    ])
    func whatIsNotASCIIInAPathIsSentWithPercentSigns(_ path: String, _ target: String) throws {
        let found = try Self.found("https://example.com" + path)
        #expect(found.target.lowercased() == target.lowercased())
        #expect(found.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    @Test func upperCaseHostsNameTheSameHost() throws {
        let found = try Self.found("HTTPS://Tenant.Hanko.IO/Path")
        #expect(found.text.lowercased() == "https://tenant.hanko.io/path")
        #expect(found.host.lowercased() == "tenant.hanko.io")
        // Of a path, unlike of a host, the case matters.
        #expect(found.target == "/Path")
        #expect(found.isHTTPS)
        #expect(try Self.found("HTTP://LOCALHOST:8000").isLoopback)
    }

    @Test(arguments: [
        ("http://localhost", true), ("http://localhost:8000", true), ("http://LocalHost/x", true),
        ("http://127.0.0.1", true), ("http://127.0.0.1:8000/x", true), ("http://127.255.255.254", true),
        ("http://127.0.0.0", true), ("http://[::1]", true), ("http://[::1]:8000/x", true),
        ("http://hanko", false), ("http://localhost.example.com", false), ("http://127.0.0.1.example.com", false),
        ("http://xlocalhost", false), ("http://localhostx", false), ("http://local-host", false),
        ("http://128.0.0.1", false), ("http://126.255.255.255", false), ("http://10.127.0.1", false),
        ("http://0.0.0.0", false), ("http://12.7.0.1", false), ("http://1270.0.0.1.example.com", false),
        ("http://[::2]", false), ("http://[::]", false), ("http://[::ffff:192.0.2.7]", false),
        ("http://[2001:db8::1]", false), ("http://192.0.2.7/127.0.0.1", false), ("http://192.0.2.7/localhost", false),
    ])
    func onlyThisMachineIsLoopback(_ text: String, _ isLoopback: Bool) throws {
        let found = try Self.found(text)
        #expect(found.isLoopback == isLoopback)
        #expect(!found.isHTTPS)
        let encrypted = try Self.found("https" + text.dropFirst(4))
        #expect(encrypted.isLoopback == isLoopback)
        #expect(encrypted.isHTTPS)
    }

    /// libcurl writes such hosts as what they mean, before anything is asked of them; what it connects to counts.
    /// Found by the fuzzer: some readers of addresses take a leading zero for octal, and 0127 is 87 to them.
    @Test(arguments: ["http://127.127.00.000080", "http://00000000000000000000127.127.00.0080", "http://127.00.0.089"])
    func numbersWithLeadingZerosAreNoLoopback(_ url: String) throws {
        let read = withBytes(Array(url.utf8)) { try? APIURL($0) }
        #expect(read?.isLoopback != true)
    }

    @Test(arguments: ["http://127.1", "http://0x7f.1", "http://2130706433", "http://0177.0.0.1", "http://127.0.1"])
    func otherSpellingsOfALoopbackAddressAreWrittenOut(_ text: String) throws {
        let found = try Self.found(text)
        #expect(found.isLoopback)
        #expect(found.text == "http://127.0.0.1/" && found.host == "127.0.0.1")
    }

    @Test(arguments: ["http://[0:0:0:0:0:0:0:1]", "http://[0000::0001]"])
    func otherSpellingsOfTheLoopbackOfIPv6AreWrittenOut(_ text: String) throws {
        let found = try Self.found(text)
        #expect(found.isLoopback == found.text.hasPrefix("http://[::1]/"))
    }

    @Test(arguments: [
        ("", "https://"),
        ("tenant.hanko.io", "https://"),
        ("localhost:8000", "https://"),
        ("//tenant.hanko.io", "https://"),
        ("https", "https://"),
        ("https:", "https://"),
        ("https:/", "https://"),
        ("https://", "host"),
        ("https:///", "https://"),
        ("https:tenant.hanko.io", "https://"),
        ("https:/tenant.hanko.io", "https://"),
        ("https:///tenant.hanko.io", "https://"),
        ("https:////tenant.hanko.io", "https://"),
        ("://tenant.hanko.io", "https://"),
        ("ftp://tenant.hanko.io", "https://"),
        ("file:///etc/passwd", "https://"),
        ("file://localhost/etc/passwd", "https://"),
        ("ws://tenant.hanko.io", "https://"),
        ("httpss://tenant.hanko.io", "https://"),
        ("xhttp://tenant.hanko.io", "https://"),
        ("gopher://tenant.hanko.io", "https://"),
        ("javascript://tenant.hanko.io", "https://"),
        ("https://:8443", "host"),
        ("https://user@tenant.hanko.io", "user name or password"),
        ("https://user:password@tenant.hanko.io", "user name or password"),
        ("https://:@tenant.hanko.io", "user name or password"),
        ("https://@tenant.hanko.io", "user name or password"),
        ("https://tenant.hanko.io@evil.example", "user name or password"),
        ("https://tenant.hanko.io:443@evil.example/", "user name or password"),
        ("https://tenant.hanko.io?x=1", "query"),
        ("https://tenant.hanko.io/?", "query"),
        ("https://tenant.hanko.io/a?b", "query"),
        ("https://tenant.hanko.io#x", "fragment"),
        ("https://tenant.hanko.io/#", "fragment"),
        ("https://tenant.hanko.io\\@evil.example", "backslash"),
        ("https:\\\\tenant.hanko.io", "backslash"),
        (" https://tenant.hanko.io", "blanks"),
        ("https://tenant.hanko.io ", "blanks"),
        ("https://tenant.hanko.io/a b", "blanks"),
        ("https://tenant.hanko.io\n", "blanks"),
        ("https://tenant.hanko.io\r\nX: y", "blanks"),
        ("https://tenant\t.hanko.io", "blanks"),
        ("https://tenant.hanko.io\0.evil.example", "blanks"),
        ("https://tenant.hanko.io/\u{7F}", "blanks"),
        ("https://tenant.hanko.io/\u{1F}", "blanks"),
        ("https://tenant.hanko.io:65536", "port"),
        ("https://tenant.hanko.io:99999999999999999999", "port"),
        ("https://tenant.hanko.io:abc", "port"),
        ("https://tenant.hanko.io:80x", "port"),
        ("https://tenant.hanko.io:-1", "port"),
        ("https://tenant.hanko.io:+1", "port"),
        ("https://tenant.hanko.io:80:80", ""),
        ("https://[::1", ""),
        ("https://[::1]x", ""),
        ("https://[::g]", "host"),
        ("https://[]", "host"),
        ("https://::1", ""),
        ("https://<tenant>.hanko.io", "host"),
        ("https://tenant,hanko.io", "host"),
        ("https://tenant;hanko.io", "host"),
        ("https://a{b}.hanko.io", "host"),
    ])
    func everythingElseIsRefusedWithWordsThatSayWhatIsWrong(_ text: String, _ words: String) throws {
        let refusal = try #require(Self.refusal(Array(text.utf8)), "accepted")
        #expect(words.isEmpty || refusal.contains(words), "\(refusal)")
        #expect(refusal.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }

    /// No connection can be made to it, and the text on ports says "from 1 to 65535".
    @Test func portZeroIsRefused() throws {
        for text in ["https://tenant.hanko.io:0", "http://localhost:0/x", "https://[::1]:00"] {
            #expect(Self.refusal(Array(text.utf8))?.contains("port") == true, "\(text)")
        }
    }

    @Test func everyControlCharacterIsRefusedWherever() {
        for byte in Array(0...0x20) + [0x7F] {
            #expect(Self.refusal(bytes("https://a", byte, ".io")) != nil, "\(byte)")
            #expect(Self.refusal(bytes("https://a.io/x", byte)) != nil, "\(byte)")
            #expect(Self.refusal(bytes(byte, "https://a.io")) != nil, "\(byte)")
        }
    }

    @Test func anAtSignInAPathIsNoPassword() throws {
        let found = try Self.found("https://example.com/@tenant")
        #expect(found.text == "https://example.com/@tenant" && found.target == "/@tenant")
    }

    @Test func whatAnEscapeHidesIsNoOtherHost() throws {
        // However libcurl reads them, a host on the way to loopback rules must be the one that is connected to.
        for text in ["http://127.0.0.1%2eevil.example", "http://localhost%2eevil.example", "http://localhost%00.evil"] {
            guard let found = try? Self.found(text) else { continue }
            #expect(!found.isLoopback, "\(text)")
        }
        for text in ["https://user%40evil.example", "https://tenant.hanko.io%2f@evil.example"] {
            guard let found = try? Self.found(text) else { continue }
            #expect(!found.text.contains("@") && !found.host.contains("@"), "\(text)")
        }
    }

    @Test func aZoneIsNotThisMachine() throws {
        if let found = try? Self.found("http://[::1%25lo]") { #expect(!found.isLoopback) }
        if let found = try? Self.found("http://[fe80::1%25eth0]") { #expect(!found.isLoopback) }
    }
}
