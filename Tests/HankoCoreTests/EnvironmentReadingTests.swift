import HankoCore
import Testing

@Suite struct EnvironmentReadingTests {
    private static let url = "HANKO_API_URL=https://tenant.hanko.io"

    private static func reading(_ entries: [String], isHidden: Bool = false) -> EnvironmentReading {
        EnvironmentReading(Environment(entries: entries.flatMap { Array($0.utf8) + [0] }, isHidden: isHidden))
    }

    private static func reading(_ entries: String...) -> EnvironmentReading { reading(entries) }

    // MARK: Defaults

    @Test func whatIsNotSetHasTheDefaultsOfTheHeader() throws {
        let reading = Self.reading(Self.url)
        #expect(reading.problem == nil)
        let configuration = reading.configuration
        #expect(configuration.timeoutMilliseconds == 10_000)
        #expect(configuration.connectTimeoutMilliseconds == 3_000)
        #expect(configuration.maximumRetries == 1)
        #expect(configuration.maximumConnections == 64)
        #expect(configuration.maximumWaiting == 1_024)
        #expect(configuration.cookieName == Array("hanko".utf8))
        #expect(configuration.caFile == nil)
        #expect(configuration.audiences.isEmpty)
        #expect(!configuration.allowsInsecureHTTP)
        #expect(configuration.confirmsRejections)
        #expect(configuration.logLevel == .error)
        let url = try #require(configuration.apiURL)
        #expect(url.text == Array("https://tenant.hanko.io/".utf8) + [0])
    }

    @Test func anEmptyVariableCountsAsUnset() {
        let names = EnvironmentVariable.allCases.map { "\($0.name)" }.filter {
            $0 != "HANKO_API_URL" && $0 != "HANKO_AUDIENCE"
        }
        #expect(names.count == 9)
        let reading = Self.reading([Self.url] + names.map { "\($0)=" })
        #expect(reading.problem == nil)
        #expect(reading.configuration.timeoutMilliseconds == 10_000)
        #expect(reading.configuration.cookieName == Array("hanko".utf8))
        #expect(reading.configuration.caFile == nil)
        #expect(reading.configuration.logLevel == .error)
    }

    @Test func anEmptyAudienceIsAnErrorBecauseACheckWouldVanish() throws {
        let problem = try #require(Self.reading(Self.url, "HANKO_AUDIENCE=").problem)
        #expect(problem.hasPrefix("HANKO_AUDIENCE "))
    }

    @Test func theVariablesAreThoseOfTheHeader() {
        let names = Set(EnvironmentVariable.allCases.map { "\($0.name)" })
        #expect(
            names == [
                "HANKO_API_URL", "HANKO_TIMEOUT_MS", "HANKO_CONNECT_TIMEOUT_MS", "HANKO_MAX_CONNECTIONS",
                "HANKO_CA_FILE", "HANKO_AUDIENCE", "HANKO_ALLOW_INSECURE_HTTP", "HANKO_LOG", "HANKO_MAX_RETRIES",
                "HANKO_COOKIE_NAME", "HANKO_CONFIRM_REJECTIONS",
            ])
    }

    // MARK: Accepted values

    @Test func everyVariableIsTaken() throws {
        let file = try #require(TemporaryFile("-----BEGIN CERTIFICATE-----\n"))
        let caFile = file.path
        let reading = Self.reading(
            "HANKO_API_URL=http://localhost:8000/x/", "HANKO_COOKIE_NAME=__Host-hanko", "HANKO_TIMEOUT_MS=3600000",
            "HANKO_CONNECT_TIMEOUT_MS=1", "HANKO_MAX_RETRIES=10", "HANKO_MAX_CONNECTIONS=10000",
            "HANKO_CA_FILE=\(caFile)", "HANKO_AUDIENCE=app, second", "HANKO_ALLOW_INSECURE_HTTP=1",
            "HANKO_CONFIRM_REJECTIONS=0", "HANKO_LOG=debug")
        #expect(reading.problem == nil)
        let configuration = reading.configuration
        let url = try #require(configuration.apiURL)
        #expect(url.text == Array("http://localhost:8000/x/".utf8) + [0])
        #expect(configuration.cookieName == Array("__Host-hanko".utf8))
        #expect(configuration.timeoutMilliseconds == 3_600_000)
        #expect(configuration.connectTimeoutMilliseconds == 1)
        #expect(configuration.maximumRetries == 10)
        #expect(configuration.maximumConnections == 10_000)
        #expect(configuration.maximumWaiting == 160_000)
        #expect(configuration.caFile == Array(caFile.utf8) + [0])
        #expect(configuration.audiences == [Array("app".utf8), Array("second".utf8)])
        #expect(configuration.allowsInsecureHTTP)
        #expect(!configuration.confirmsRejections)
        #expect(configuration.logLevel == .debug)
    }

    @Test(arguments: [
        "HANKO_TIMEOUT_MS=1", "HANKO_TIMEOUT_MS=3600000", "HANKO_TIMEOUT_MS=0010", "HANKO_CONNECT_TIMEOUT_MS=1",
        "HANKO_CONNECT_TIMEOUT_MS=3600000", "HANKO_MAX_RETRIES=0", "HANKO_MAX_RETRIES=10", "HANKO_MAX_CONNECTIONS=1",
        "HANKO_MAX_CONNECTIONS=10000", "HANKO_COOKIE_NAME=h", "HANKO_COOKIE_NAME=A-z_0.9!#$%&'*+^`|~",
        "HANKO_AUDIENCE=app", "HANKO_AUDIENCE=é", "HANKO_AUDIENCE= a b ,\tc\t", "HANKO_ALLOW_INSECURE_HTTP=0",
        "HANKO_ALLOW_INSECURE_HTTP=1", "HANKO_CONFIRM_REJECTIONS=0", "HANKO_CONFIRM_REJECTIONS=1", "HANKO_LOG=off",
        "HANKO_LOG=error", "HANKO_LOG=warning", "HANKO_LOG=info", "HANKO_LOG=debug", "HANKO_LOG=ERROR",
        "HANKO_LOG=Debug", "HANKO_ALLOW_INSECURE_HTTP=True", "HANKO_CONFIRM_REJECTIONS=OFF",
    ])
    func valuesWithinTheirRangeAreRight(_ entry: String) {
        #expect(Self.reading(Self.url, entry).problem == nil)
        #expect(Self.reading(entry, Self.url).problem == nil)
    }

    @Test(arguments: [
        ("app", ["app"]), ("a,b,c", ["a", "b", "c"]), (" a , b ", ["a", "b"]), ("a b", ["a b"]), ("a,a", ["a", "a"]),
        ("https://app.example.com", ["https://app.example.com"]), ("App", ["App"]), ("é", ["é"]),
    ])
    func audiencesAreSeparatedByCommas(_ value: String, _ audiences: [String]) {
        let reading = Self.reading(Self.url, "HANKO_AUDIENCE=\(value)")
        #expect(reading.problem == nil)
        #expect(reading.configuration.audiences == audiences.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("0", false), ("false", false), ("no", false), ("off", false), ("1", true), ("true", true), ("yes", true),
        ("on", true), ("FALSE", false), ("No", false), ("oFF", false), ("TRUE", true), ("Yes", true), ("ON", true),
    ])
    func flagsMayBeWords(_ word: String, _ value: Bool) {
        let reading = Self.reading(
            Self.url, "HANKO_ALLOW_INSECURE_HTTP=\(word)", "HANKO_CONFIRM_REJECTIONS=\(word)")
        #expect(reading.problem == nil)
        #expect(reading.configuration.allowsInsecureHTTP == value)
        #expect(reading.configuration.confirmsRejections == value)
    }

    // MARK: Refused values

    /// The entry, and a word that tells what would be right.
    @Test(arguments: [
        ("HANKO_TIMEOUT_MS=0", "3600000"), ("HANKO_TIMEOUT_MS=3600001", "3600000"), ("HANKO_TIMEOUT_MS=-1", "3600000"),
        ("HANKO_TIMEOUT_MS=+1", "3600000"), ("HANKO_TIMEOUT_MS=10s", "3600000"), ("HANKO_TIMEOUT_MS=1.5", "3600000"),
        ("HANKO_TIMEOUT_MS= 1", "3600000"), ("HANKO_TIMEOUT_MS=1 ", "3600000"), ("HANKO_TIMEOUT_MS=1e3", "3600000"),
        ("HANKO_TIMEOUT_MS=99999999999999999999", "3600000"), ("HANKO_TIMEOUT_MS=18446744073709551617", "3600000"),
        ("HANKO_CONNECT_TIMEOUT_MS=0", "3600000"), ("HANKO_CONNECT_TIMEOUT_MS=3600001", "3600000"),
        ("HANKO_CONNECT_TIMEOUT_MS=x", "3600000"), ("HANKO_MAX_RETRIES=11", "0 to 10"),
        ("HANKO_MAX_RETRIES=-1", "0 to 10"),
        ("HANKO_MAX_RETRIES=one", "0 to 10"), ("HANKO_MAX_CONNECTIONS=0", "1 to 10000"),
        ("HANKO_MAX_CONNECTIONS=10001", "1 to 10000"), ("HANKO_MAX_CONNECTIONS=many", "1 to 10000"),
        ("HANKO_COOKIE_NAME=a b", "cookie"), ("HANKO_COOKIE_NAME=a=b", "cookie"), ("HANKO_COOKIE_NAME=a;b", "cookie"),
        ("HANKO_COOKIE_NAME=\"a\"", "cookie"), ("HANKO_COOKIE_NAME=é", "cookie"), ("HANKO_COOKIE_NAME= ", "cookie"),
        ("HANKO_COOKIE_NAME=a,b", "cookie"), ("HANKO_COOKIE_NAME=a/b", "cookie"), ("HANKO_COOKIE_NAME=a@b", "cookie"),
        ("HANKO_COOKIE_NAME=[a]", "cookie"), ("HANKO_COOKIE_NAME=a\u{7F}", "cookie"),
        ("HANKO_COOKIE_NAME=a\tb", "cookie"),
        ("HANKO_AUDIENCE= ", "audiences"), ("HANKO_AUDIENCE=,", "audiences"), ("HANKO_AUDIENCE=a,", "audiences"),
        ("HANKO_AUDIENCE=,a", "audiences"), ("HANKO_AUDIENCE=a,,b", "audiences"), ("HANKO_AUDIENCE=a, ,b", "audiences"),
        ("HANKO_ALLOW_INSECURE_HTTP=2", "0 or 1"), ("HANKO_ALLOW_INSECURE_HTTP=truth", "0 or 1"),
        ("HANKO_ALLOW_INSECURE_HTTP=y", "0 or 1"), ("HANKO_ALLOW_INSECURE_HTTP=01", "0 or 1"),
        ("HANKO_ALLOW_INSECURE_HTTP= 1", "0 or 1"), ("HANKO_CONFIRM_REJECTIONS=2", "0 or 1"),
        ("HANKO_CONFIRM_REJECTIONS=false ", "0 or 1"), ("HANKO_CONFIRM_REJECTIONS=01", "0 or 1"),
        ("HANKO_LOG=verbose", "warning"), ("HANKO_LOG=errors", "warning"), ("HANKO_LOG=1", "warning"),
        ("HANKO_LOG= off", "warning"), ("HANKO_LOG=warn", "warning"),
        ("HANKO_CA_FILE=/nonexistent/authority.pem", "PEM"),
        ("HANKO_CA_FILE= ", "PEM"),
    ])
    func aWrongValueIsNamedAndTheRightOneTold(_ entry: String, _ words: String) throws {
        let name = try #require(entry.split(separator: "=").first)
        let problem = try #require(Self.reading(Self.url, entry).problem, "accepted")
        #expect(problem.hasPrefix("\(name) "), "\(problem)")
        #expect(problem.contains(words), "\(problem)")
        #expect(problem.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(problem)")
        // What hanko_last_error keeps of a text.
        #expect(problem.utf8.count < 512)
    }

    @Test func anAudienceThatIsNotUTF8IsRefused() throws {
        let entries = Array("\(Self.url)\0HANKO_AUDIENCE=a".utf8) + [0xFF, 0]
        let problem = try #require(EnvironmentReading(Environment(entries: entries)).problem)
        #expect(problem.hasPrefix("HANKO_AUDIENCE "))
    }

    @Test(arguments: [
        "ftp://secret.example", "https://user:secret@example.com", "https://secret.example?x", "secret",
        "https://secret.example:99999",
    ])
    func aWrongURLIsNamedButNotRepeated(_ url: String) throws {
        let problem = try #require(Self.reading("HANKO_API_URL=\(url)").problem)
        #expect(problem.hasPrefix("HANKO_API_URL "))
        #expect(!problem.contains("secret"))
    }

    @Test func noProblemRepeatsAValue() throws {
        for variable in EnvironmentVariable.allCases {
            let problem = Self.reading(Self.url, "\(variable.name)=xyzzy\u{1}").problem ?? ""
            #expect(!problem.contains("xyzzy"), "\(variable)")
        }
    }

    // MARK: The URL

    @Test func withoutAURLTheTextSaysWhichVariableToSetAndToWhat() throws {
        for entries in [[], ["HANKO_API_URL="], ["HANKO_LOG=debug"], ["API_URL=https://tenant.hanko.io"]] {
            let problem = try #require(Self.reading(entries).problem)
            #expect(problem.contains("HANKO_API_URL is not set"))
            #expect(problem.contains("https://<tenant>.hanko.io"))
        }
    }

    @Test(arguments: [
        ("http://localhost", true), ("http://127.0.0.1:8000", true), ("http://[::1]:8000", true),
        ("http://hanko:8000", false), ("http://192.0.2.7", false), ("http://localhost.example.com", false),
        ("http://127.0.0.1.example.com", false), ("http://[::2]", false),
    ])
    func httpIsForLoopbackUnlessAllowed(_ url: String, _ isRight: Bool) {
        let problem = Self.reading("HANKO_API_URL=\(url)").problem
        #expect((problem == nil) == isRight)
        #expect(isRight || problem?.contains("HANKO_ALLOW_INSECURE_HTTP=1") == true)
        #expect((Self.reading("HANKO_API_URL=\(url)", "HANKO_ALLOW_INSECURE_HTTP=0").problem == nil) == isRight)
        #expect(Self.reading("HANKO_API_URL=\(url)", "HANKO_ALLOW_INSECURE_HTTP=1").problem == nil)
        #expect(Self.reading("HANKO_ALLOW_INSECURE_HTTP=1", "HANKO_API_URL=\(url)").problem == nil)
    }

    // MARK: Which entry counts

    @Test func theFirstOfTwoEntriesOfOneNameCounts() {
        let reading = Self.reading(Self.url, "HANKO_TIMEOUT_MS=1", "HANKO_TIMEOUT_MS=2")
        #expect(reading.configuration.timeoutMilliseconds == 1)
        #expect(Self.reading(Self.url, "HANKO_TIMEOUT_MS=1", "HANKO_TIMEOUT_MS=x").problem == nil)
        #expect(Self.reading(Self.url, "HANKO_TIMEOUT_MS=x", "HANKO_TIMEOUT_MS=1").problem != nil)
    }

    @Test(arguments: [
        "HANKO_TIMEOUT_MS2=5", "HANKO_TIMEOUT=5", "XHANKO_TIMEOUT_MS=5", "hanko_timeout_ms=5", "HANKO_TIMEOUT_MS",
        "HANKO_UNKNOWN=x", "HANKO_=x", "HANKO_LOGS=x", "",
    ])
    func otherNamesAreOfNoMatter(_ entry: String) {
        let reading = Self.reading(entry, Self.url)
        #expect(reading.problem == nil)
        #expect(reading.configuration.timeoutMilliseconds == 10_000)
    }

    @Test func aValueMayHoldAnEqualsSign() {
        #expect(Self.reading(Self.url, "HANKO_AUDIENCE=a=b").configuration.audiences == [Array("a=b".utf8)])
    }

    @Test func ofSeveralProblemsOneIsToldAndTheMissingURLLast() throws {
        #expect(try #require(Self.reading("HANKO_TIMEOUT_MS=x").problem).hasPrefix("HANKO_TIMEOUT_MS "))
        #expect(try #require(Self.reading("HANKO_LOG=x").problem).hasPrefix("HANKO_LOG "))
        let both = try #require(Self.reading("HANKO_API_URL=x", "HANKO_LOG=x").problem)
        #expect(both.hasPrefix("HANKO_LOG "))
        let insecure = try #require(Self.reading("HANKO_API_URL=http://hanko", "HANKO_TIMEOUT_MS=x").problem)
        #expect(insecure.hasPrefix("HANKO_TIMEOUT_MS "))
        let url = try #require(Self.reading("HANKO_API_URL=x", "HANKO_TIMEOUT_MS=x").problem)
        #expect(url.hasPrefix("HANKO_API_URL "))
    }

    @Test func theLogLevelIsKnownEvenWhenSomethingElseIsWrong() {
        let reading = Self.reading("HANKO_TIMEOUT_MS=x", "HANKO_LOG=off")
        #expect(reading.problem != nil)
        #expect(reading.configuration.logLevel == .off)
    }

    @Test func aHiddenEnvironmentIsNotBelieved() throws {
        let reading = Self.reading([Self.url, "HANKO_LOG=debug"], isHidden: true)
        let problem = try #require(reading.problem)
        #expect(problem.contains("raised privileges"))
        #expect(reading.configuration.apiURL == nil)
        #expect(reading.configuration.logLevel == .error)
    }
}
