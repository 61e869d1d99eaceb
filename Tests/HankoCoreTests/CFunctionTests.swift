import CHanko
import Glibc
import Hanko
import HankoCore
import Testing

/// The functions of the header, as far as no server is needed.
@Suite struct CFunctionTests {
    /// What a C program sees after a call.
    private struct Seen: Equatable {
        var valid: Int32
        var status: Int32
        var text: String

        static func after(_ valid: Int32) -> Seen {
            Seen(valid: valid, status: hanko_last_status(), text: string(hanko_last_error()))
        }
    }

    private static func string(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? "NULL"
    }

    @Test func beforeTheFirstCallAThreadHasNoToken() {
        let seen = onNewThread { Seen.after(0) }
        #expect(seen == Seen(valid: 0, status: Int32(HANKO_NO_TOKEN), text: ""))
    }

    @Test func withoutATokenTheAnswerIsNo() {
        for token in [nil, ""] as [String?] {
            let seen = onNewThread {
                guard let token else { return Seen.after(hanko_validate(nil)) }
                return Seen.after(token.withCString { hanko_validate($0) })
            }
            #expect(
                seen == Seen(valid: 0, status: Int32(HANKO_NO_TOKEN), text: "no token was given; nothing was asked"))
        }
    }

    @Test func bytesThatCannotBeATokenAreInvalid() throws {
        for token in [[0xFF, 0], [0x61, 0xC3, 0], [UInt8](repeating: 0x61, count: 262_145) + [0]] as [[UInt8]] {
            let seen = try #require(
                onNewThread {
                    token.withUnsafeBufferPointer { bytes in
                        bytes.withMemoryRebound(to: CChar.self) { Seen.after(hanko_validate($0.baseAddress)) }
                    }
                })
            #expect(seen.valid == 0)
            #expect(seen.status == Int32(HANKO_INVALID_TOKEN))
            #expect(!seen.text.isEmpty)
        }
    }

    /// A token beyond the limit is not read to its end: there need not be one.
    @Test func aTokenWithoutAnEndIsReadOnlyUpToTheLimit() throws {
        let seen = try #require(
            onNewThread {
                withBytes([UInt8](repeating: 0x61, count: 262_145)) { view in
                    let token = UnsafeRawPointer(view.start)?.assumingMemoryBound(to: CChar.self)
                    return Seen.after(hanko_validate(token))
                }
            })
        #expect(seen.status == Int32(HANKO_INVALID_TOKEN))
    }

    @Test func initializingSucceedsAgainAndAgain() throws {
        let seen = try #require(
            onNewThread {
                _ = hanko_validate(nil)
                return [Seen.after(hanko_initialize()), Seen.after(hanko_initialize())]
            })
        #expect(seen == [Seen](repeating: Seen(valid: Int32(HANKO_OK), status: Int32(HANKO_OK), text: ""), count: 2))
    }

    @Test func theNumberAndTheTextOfTheVersionAgree() {
        #expect(hanko_version_number() == 100)
        #expect(Self.string(hanko_version()) == HANKO_VERSION_STRING)
    }

    @Test(arguments: [
        (HANKO_OK, "HANKO_OK", "OK"),
        (HANKO_INVALID_TOKEN, "HANKO_INVALID_TOKEN", "Invalid token"),
        (HANKO_NO_TOKEN, "HANKO_NO_TOKEN", "Invalid token"),
        (HANKO_TIMEOUT, "HANKO_TIMEOUT", "Authentication service timeout"),
        (HANKO_UNAVAILABLE, "HANKO_UNAVAILABLE", "Authentication service unavailable"),
        (HANKO_MISCONFIGURED, "HANKO_MISCONFIGURED", "Authentication service unavailable"),
        (HANKO_PROTOCOL_ERROR, "HANKO_PROTOCOL_ERROR", "Authentication service unavailable"),
        (HANKO_INVALID_ARGUMENT, "HANKO_INVALID_ARGUMENT", "Authentication service unavailable"),
        (HANKO_CANCELLED, "HANKO_CANCELLED", "Authentication service unavailable"),
        (HANKO_BUFFER_TOO_SMALL, "HANKO_BUFFER_TOO_SMALL", "Authentication service unavailable"),
    ])
    func eachStatusHasItsNameAndItsMessage(_ status: Int, _ name: String, _ message: String) {
        #expect(Self.string(hanko_status_name(Int32(status))) == name)
        #expect(Self.string(hanko_status_message(Int32(status))) == message)
    }

    @Test(arguments: [-1, 10, 11, 100, Int32.max, Int32.min])
    func aNumberThatIsNoStatusMeansCouldNotAsk(_ number: Int32) {
        #expect(Self.string(hanko_status_name(number)) == "HANKO_UNKNOWN_STATUS")
        #expect(Self.string(hanko_status_message(number)) == "Authentication service unavailable")
    }

    @Test func textsAreConstants() {
        #expect(hanko_status_name(3) == hanko_status_name(3))
        #expect(hanko_version() == hanko_version())
        #expect(hanko_version() != nil)
    }

    /// In a process of its own: no other test may see the environment change.
    @Test func withoutAURLTheCallIsMisconfiguredAndAChangeIsSeen() async {
        await #expect(processExitsWith: .success) {
            func expect(_ condition: Bool, line: Int32 = #line) { if !condition { exit(line % 256) } }
            func status() -> Int32 {
                expect(hanko_validate("test-token") == 0)
                return hanko_last_status()
            }
            func says(_ words: String) -> Bool { strstr(hanko_last_error(), words) != nil }
            for name in ["TIMEOUT_MS", "CONNECT_TIMEOUT_MS", "AUDIENCE", "CA_FILE"] { unsetenv("HANKO_" + name) }
            setenv("HANKO_LOG", "off", 1)
            unsetenv("HANKO_API_URL")
            expect(status() == HANKO_MISCONFIGURED)
            expect(says("HANKO_API_URL is not set"))
            setenv("HANKO_API_URL", "nonsense", 1)
            expect(status() == HANKO_MISCONFIGURED)
            expect(says("HANKO_API_URL must begin"))
            setenv("HANKO_API_URL", "http://hanko.example", 1)
            expect(status() == HANKO_MISCONFIGURED)
            expect(says("HANKO_ALLOW_INSECURE_HTTP"))
            // Nothing listens on a port that no connection can be made to.
            setenv("HANKO_API_URL", "http://127.0.0.1:1", 1)
            expect(status() == HANKO_UNAVAILABLE)
            setenv("HANKO_TIMEOUT_MS", "0", 1)
            expect(status() == HANKO_MISCONFIGURED)
            expect(says("HANKO_TIMEOUT_MS"))
            // What needs no configuration is answered without one.
            expect(hanko_validate(nil) == 0 && hanko_last_status() == HANKO_NO_TOKEN)
            expect(hanko_validate("") == 0 && hanko_last_status() == HANKO_NO_TOKEN)
            unsetenv("HANKO_API_URL")
            unsetenv("HANKO_TIMEOUT_MS")
            expect(status() == HANKO_MISCONFIGURED)
            expect(says("HANKO_API_URL is not set"))
            expect(hanko_initialize() == HANKO_OK)
            expect(hanko_last_status() == HANKO_OK && hanko_last_error()?.pointee == 0)
        }
    }
}
