import HankoCore
import Testing

@Suite struct NearNameTests {
    private static func meant(_ name: String) -> String? {
        Array(name.utf8).withUnsafeBufferPointer { NearName.meant(by: ByteView($0)).map { $0.text() } }
    }

    @Test(arguments: [
        // Letters
        ("HANKO_API_URI", "HANKO_API_URL"), ("HANKO_APIURL", "HANKO_API_URL"), ("HANKO_API_ULR", "HANKO_API_URL"),
        ("HANKO_AP_URL", "HANKO_API_URL"), ("HANKO_API_URLS", "HANKO_API_URL"), ("HANKO_API__URL", "HANKO_API_URL"),
        ("HANKO_api_url", "HANKO_API_URL"), ("HANKO_CAFILE", "HANKO_CA_FILE"), ("HANKO_CA_FIEL", "HANKO_CA_FILE"),
        ("HANKO_AUDIENZ", "HANKO_AUDIENCE"), ("HANKO_AUDIENCES", "HANKO_AUDIENCE"), ("HANKO_LOGS", "HANKO_LOG"),
        ("HANKO_CONFIRM_REJECTION", "HANKO_CONFIRM_REJECTIONS"), ("HANKO_COOKIENAME", "HANKO_COOKIE_NAME"),
        ("HANKO_CONFIRM_REJECTON", "HANKO_CONFIRM_REJECTIONS"), ("HANKO_TIMEOUTMS", "HANKO_TIMEOUT_MS"),
        ("HANKO_TIMEOUT_S", "HANKO_TIMEOUT_MS"), ("HANKO_MAX_CONNECTION", "HANKO_MAX_CONNECTIONS"),
        ("HANKO_MAX_CONECTIONS", "HANKO_MAX_CONNECTIONS"), ("HANKO_ALOW_INSECURE_HTTP", "HANKO_ALLOW_INSECURE_HTTP"),
        ("HANKO_ALLOW_INSECURE_HTTPS", "HANKO_ALLOW_INSECURE_HTTP"), ("HANKO_LIBARY", "HANKO_LIBRARY"),
        ("HANKO_PROTECTED_PATH", "HANKO_PROTECTED_PATHS"),
        // Words
        ("HANKO_TIMEOUT", "HANKO_TIMEOUT_MS"), ("HANKO_CONNECT_TIMEOUT", "HANKO_CONNECT_TIMEOUT_MS"),
        ("HANKO_COOKIE", "HANKO_COOKIE_NAME"), ("HANKO_CA", "HANKO_CA_FILE"), ("HANKO_API", "HANKO_API_URL"),
        ("HANKO_ALLOW_INSECURE", "HANKO_ALLOW_INSECURE_HTTP"), ("HANKO_INSECURE_HTTP", "HANKO_ALLOW_INSECURE_HTTP"),
        ("HANKO_ALLOW_HTTP", "HANKO_ALLOW_INSECURE_HTTP"), ("HANKO_MAX_RETRY", "HANKO_MAX_RETRIES"),
        ("HANKO_URL_API", "HANKO_API_URL"), ("HANKO_LOG_LEVEL", "HANKO_LOG"),
        ("HANKO_TIMEOUT_SECONDS", "HANKO_TIMEOUT_MS"), ("HANKO_MAX_RETRIES_COUNT", "HANKO_MAX_RETRIES"),
    ])
    func aNearNameIsTold(_ name: String, _ meant: String) {
        #expect(Self.meant(name) == meant)
    }

    @Test(arguments: [
        // Ours
        "HANKO_API_URL", "HANKO_LOG", "HANKO_LIBRARY", "HANKO_PROTECTED_PATHS", "HANKO_ADMIN_URL", "HANKO_TEST_SEED",
        "HANKO_TEST_TIMEOUT_MS",
        // Other people's
        "HANKO_THEME", "HANKO_API_KEY", "HANKO_ADMIN_API_KEY", "HANKO_WEBHOOK_SECRET", "HANKO_APP_URL", "HANKO_UI_URL",
        "HANKO_LANG", "HANKO_ORG", "HANKO_PROJECT_ID", "HANKO_TENANT", "HANKO_URL", "HANKO_MAX", "HANKO_INSECURE",
        "HANKO_VERIFY", "HANKO_TLS_VERIFY", "HANKO_SOMETHING_ELSE", "HANKO_COOKIE_PATH", "HANKO_COOKIE_DOMAIN",
        "HANKO_ORDINARY_SWIFT", "HANKO_OTHER_THAN_ANY_PROCESS_HAS", "HANKO_SECRET_KEYS", "HANKO_DATABASE_URL",
        // None at all
        "", "HANKO", "HANKO_", "HANKO__", "HANKO_A", "HANKO_\u{FF}\u{FF}", "API_URI", "hanko_api_uri", "XHANKO_API_URI",
        "HANKO_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ])
    func anotherNameIsLeftAlone(_ name: String) {
        #expect(Self.meant(name) == nil)
    }

    @Test func everyVariableIsKnown() {
        for variable in EnvironmentVariable.allCases { #expect(Self.meant("\(variable.name)") == nil) }
        for variable in EnvironmentVariable.allCases { #expect(Self.meant("\(variable.name)X") == "\(variable.name)") }
    }

    @Test func theEnvironmentTellsItsMisspelledVariables() {
        let entries = ["HANKO_API_URL=x", "HANKO_TIMEOUT=5", "HANKO_THEME=dark", "HANKO_AUDIENCES="]
        let environment = Environment(entries: entries.flatMap { Array($0.utf8) + [0] })
        let texts = environment.misspelledVariables().map(\.text)
        #expect(
            texts == [
                "HANKO_TIMEOUT is set, but no such variable is read; did you mean HANKO_TIMEOUT_MS?",
                "HANKO_AUDIENCES is set, but no such variable is read; did you mean HANKO_AUDIENCE?",
            ])
        let many = Environment(entries: (0..<100).flatMap { _ in Array("HANKO_TIMEOUT=5".utf8) + [0] })
        #expect(many.misspelledVariables().count == 16)
    }

    @Test func aNamePassesOnceAndNotTooMany() {
        var limiter = NameLimiter()
        let passed = ["HANKO_TIMEOUT", "HANKO_TIMEOUT", "HANKO_TIMEOUTS"].map { limiter.admit(Array($0.utf8)) }
        #expect(passed == [true, false, true])
        let others = (0..<1_000).filter { limiter.admit(Array("HANKO_\($0)".utf8)) }
        #expect(others.count == 62)
    }
}
