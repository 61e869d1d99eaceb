import HankoCore
import Testing

@Suite struct APIURLTests {
    /// What is read from an address, with the URL that libcurl gets.
    private struct Found: Equatable {
        var url: String
        var isHTTPS: Bool
        var isLoopback: Bool
    }

    private static func found(_ text: String) throws -> Found {
        let url = try withBytes(of: text) { try APIURL($0) }
        #expect(url.validateURL.last == 0)
        let body = String(decoding: url.validateURL.dropLast(), as: UTF8.self)
        return Found(url: body, isHTTPS: url.isHTTPS, isLoopback: url.isLoopback)
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
        ("https://tenant.hanko.io", "https://tenant.hanko.io/sessions/validate"),
        ("https://tenant.hanko.io/", "https://tenant.hanko.io/sessions/validate"),
        ("https://tenant.hanko.io///", "https://tenant.hanko.io/sessions/validate"),
        ("https://example.com/auth", "https://example.com/auth/sessions/validate"),
        ("https://example.com/auth/", "https://example.com/auth/sessions/validate"),
        ("https://example.com/auth//", "https://example.com/auth/sessions/validate"),
        ("https://example.com/a/b/c", "https://example.com/a/b/c/sessions/validate"),
        ("https://example.com/\(Judge.user)", "https://example.com/\(Judge.user)/sessions/validate"),
        ("https://example.com/a%20b", "https://example.com/a%20b/sessions/validate"),
        ("https://example.com:8443", "https://example.com:8443/sessions/validate"),
        ("https://example.com:1", "https://example.com:1/sessions/validate"),
        ("https://example.com:65535/x/", "https://example.com:65535/x/sessions/validate"),
        ("HTTPS://example.com", "https://example.com/sessions/validate"),
        ("https://192.0.2.7", "https://192.0.2.7/sessions/validate"),
        ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443/sessions/validate"),
    ])
    func theAddressIsKeptAndTheEndpointAppended(_ text: String, _ url: String) throws {
        let found = try Self.found(text)
        #expect(found == Found(url: url, isHTTPS: true, isLoopback: false))
    }

    @Test func upperCaseHostsNameTheSameHost() throws {
        let found = try Self.found("HTTPS://Tenant.Hanko.IO/Path")
        #expect(found.url.lowercased() == "https://tenant.hanko.io/path/sessions/validate")
        // Of a path, unlike of a host, the case matters.
        #expect(found.url.hasSuffix("/Path/sessions/validate"))
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
        #expect(found.url == "http://127.0.0.1/sessions/validate")
    }

    @Test(arguments: ["http://[0:0:0:0:0:0:0:1]", "http://[0000::0001]"])
    func otherSpellingsOfTheLoopbackOfIPv6AreWrittenOut(_ text: String) throws {
        let found = try Self.found(text)
        #expect(found.isLoopback == found.url.hasPrefix("http://[::1]/"))
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
        #expect(try Self.found("https://example.com/@tenant").url == "https://example.com/@tenant/sessions/validate")
    }

    @Test func whatAnEscapeHidesIsNoOtherHost() throws {
        // However libcurl reads them, a host on the way to loopback rules must be the one that is connected to.
        for text in ["http://127.0.0.1%2eevil.example", "http://localhost%2eevil.example", "http://localhost%00.evil"] {
            guard let found = try? Self.found(text) else { continue }
            #expect(!found.isLoopback, "\(text)")
        }
        for text in ["https://user%40evil.example", "https://tenant.hanko.io%2f@evil.example"] {
            guard let found = try? Self.found(text) else { continue }
            #expect(!found.url.contains("@"), "\(text)")
        }
    }

    @Test func aZoneIsNotThisMachine() throws {
        if let found = try? Self.found("http://[::1%25lo]") { #expect(!found.isLoopback) }
        if let found = try? Self.found("http://[fe80::1%25eth0]") { #expect(!found.isLoopback) }
    }
}
