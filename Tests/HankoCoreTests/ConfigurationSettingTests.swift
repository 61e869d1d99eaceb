import HankoCore
import Testing

/// What each setter takes and refuses, and that a refused value changes nothing.
@Suite struct ConfigurationSettingTests {
    private static func problem(
        _ configuration: inout Configuration, _ set: (inout Configuration) throws -> Void
    ) -> String? {
        do {
            try set(&configuration)
            return nil
        } catch let error as ConfigurationError {
            return "\(error.text)"
        } catch {
            return "\(error)"
        }
    }

    private static func audiences(_ configuration: Configuration) -> [String] {
        configuration.audiences.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func add(_ audience: String, to configuration: inout Configuration) throws {
        try withBytes(of: audience) { try configuration.addAudience($0) }
    }

    // MARK: Numbers

    private enum Number: CaseIterable {
        case timeout, connectTimeout, retries, connections

        var range: ClosedRange<Int64> {
            switch self {
            case .timeout, .connectTimeout: 1...3_600_000
            case .retries: 0...10
            case .connections: 1...10_000
            }
        }

        func set(_ value: Int64?, in configuration: inout Configuration) throws {
            switch self {
            case .timeout: try configuration.setTimeout(milliseconds: value)
            case .connectTimeout: try configuration.setConnectTimeout(milliseconds: value)
            case .retries: try configuration.setMaximumRetries(value)
            case .connections: try configuration.setMaximumConnections(value)
            }
        }

        func value(in configuration: Configuration) -> Int64 {
            switch self {
            case .timeout: configuration.timeoutMilliseconds
            case .connectTimeout: configuration.connectTimeoutMilliseconds
            case .retries: configuration.maximumRetries
            case .connections: configuration.maximumConnections
            }
        }
    }

    @Test func numbersWithinTheirRangeAreTaken() throws {
        for number in Number.allCases {
            let range = number.range
            for value in [range.lowerBound, range.lowerBound + 1, range.upperBound - 1, range.upperBound] {
                var configuration = Configuration()
                try number.set(value, in: &configuration)
                #expect(number.value(in: configuration) == value, "\(number)")
                // And no other number changes with it.
                for other in Number.allCases where other != number {
                    #expect(other.value(in: configuration) == other.value(in: Configuration()), "\(number) \(other)")
                }
            }
        }
    }

    @Test func numbersBeyondTheirRangeAreRefusedAndTheRightOnesTold() {
        for number in Number.allCases {
            let range = number.range
            let wrong: [Int64?] = [
                range.lowerBound - 1, range.upperBound + 1, -1, .min, .max, Int64(UInt32.max), nil,
            ]
            for value in wrong {
                var configuration = Configuration()
                let problem = Self.problem(&configuration) { try number.set(value, in: &$0) }
                #expect(problem?.contains("from \(range.lowerBound) to \(range.upperBound)") == true, "\(number)")
                #expect(number.value(in: configuration) == number.value(in: Configuration()), "\(number)")
            }
        }
    }

    @Test func asManyWaitAsTheDesignSays() throws {
        var configuration = Configuration()
        for count in [1, 64, 10_000] as [Int64] {
            try configuration.setMaximumConnections(count)
            #expect(configuration.maximumWaiting == 16 * count)
        }
    }

    @Test func flagsAreZeroOrOne() throws {
        var configuration = Configuration()
        #expect(!configuration.allowsInsecureHTTP && configuration.confirmsRejections)
        try configuration.setAllowsInsecureHTTP(1)
        #expect(configuration.allowsInsecureHTTP && configuration.confirmsRejections)
        try configuration.setConfirmsRejections(0)
        #expect(configuration.allowsInsecureHTTP && !configuration.confirmsRejections)
        try configuration.setConfirmsRejections(1)
        try configuration.setAllowsInsecureHTTP(0)
        #expect(!configuration.allowsInsecureHTTP && configuration.confirmsRejections)
        for wrong in [-1, 2, 255, .min, .max, nil] as [Int64?] {
            let first = Self.problem(&configuration) { try $0.setAllowsInsecureHTTP(wrong) }
            let second = Self.problem(&configuration) { try $0.setConfirmsRejections(wrong) }
            #expect(first == "must be 0 or 1" && second == "must be 0 or 1")
            #expect(!configuration.allowsInsecureHTTP && configuration.confirmsRejections)
        }
    }

    // MARK: Audiences

    @Test func audiencesAdd() throws {
        var configuration = Configuration()
        #expect(configuration.audiences.isEmpty)
        for audience in ["a", "b", "a,b", " c ", "é😀"] { try Self.add(audience, to: &configuration) }
        // As they are: a comma or a blank belongs to it here.
        #expect(Self.audiences(configuration) == ["a", "b", "a,b", " c ", "é😀"])
    }

    @Test func theFirstThatIsAddedReplacesThoseFromTheEnvironment() throws {
        var configuration = Configuration()
        try configuration.load(Environment(entries: Array("HANKO_AUDIENCE=x,y\0".utf8)))
        #expect(Self.audiences(configuration) == ["x", "y"])
        try Self.add("a", to: &configuration)
        #expect(Self.audiences(configuration) == ["a"])
        try Self.add("b", to: &configuration)
        #expect(Self.audiences(configuration) == ["a", "b"])
    }

    @Test func theLaterOfEnvironmentAndSetterWins() throws {
        var configuration = Configuration()
        try Self.add("a", to: &configuration)
        try configuration.load(Environment(entries: Array("HANKO_AUDIENCE=x\0".utf8)))
        #expect(Self.audiences(configuration) == ["x"])
        // An environment that does not name any leaves them alone.
        try Self.add("b", to: &configuration)
        try configuration.load(Environment(entries: []))
        #expect(Self.audiences(configuration) == ["b"])
        try Self.add("c", to: &configuration)
        #expect(Self.audiences(configuration) == ["b", "c"])
    }

    @Test func clearingRemovesAllOfThem() throws {
        var configuration = Configuration()
        try configuration.load(Environment(entries: Array("HANKO_AUDIENCE=x\0".utf8)))
        configuration.clearAudiences()
        #expect(configuration.audiences.isEmpty)
        try Self.add("a", to: &configuration)
        try Self.add("b", to: &configuration)
        #expect(Self.audiences(configuration) == ["a", "b"])
        configuration.clearAudiences()
        #expect(configuration.audiences.isEmpty)
    }

    @Test(arguments: [[], [0xFF], [0x61, 0xC0, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func anAudienceIsTextAndNotEmpty(_ bytes: [UInt8]) {
        for entries in ["", "HANKO_AUDIENCE=x\0"] {
            var configuration = Configuration()
            try? configuration.load(Environment(entries: Array(entries.utf8)))
            let before = configuration.audiences
            let problem = Self.problem(&configuration) { configuration in
                try withBytes(bytes) { try configuration.addAudience($0) }
            }
            #expect(problem?.contains("UTF-8") == true)
            // Those from the environment are not replaced by nothing either.
            #expect(configuration.audiences == before)
        }
    }

    // MARK: Log

    private static let logger: LogTarget.Function = { _, _, _ in }

    @Test func aLoggerIsTakenWithItsContextAndLevel() throws {
        for level in 0...4 as ClosedRange<Int32> {
            var configuration = Configuration()
            let context = UnsafeMutableRawPointer(bitPattern: 0x1234)
            try configuration.setLogger(.function(Self.logger, context: context), level: level)
            #expect(configuration.logLevel.rawValue == level)
            guard case .function(_, let kept) = configuration.logTarget else {
                Issue.record("it was not taken")
                return
            }
            #expect(kept == context)
            try configuration.setLogger(.standardError, level: level)
            guard case .standardError = configuration.logTarget else {
                Issue.record("it was not taken")
                return
            }
        }
    }

    @Test(arguments: [-1, 5, Int32.min, Int32.max])
    func anUnknownLevelIsRefusedAndTheLoggerWithIt(_ level: Int32) throws {
        var configuration = Configuration()
        try configuration.setLogger(.standardError, level: 3)
        let problem = Self.problem(&configuration) {
            try $0.setLogger(.function(Self.logger, context: nil), level: level)
        }
        #expect(problem?.contains("HANKO_LOG_OFF (0)") == true && problem?.contains("HANKO_LOG_DEBUG (4)") == true)
        #expect(configuration.logLevel == .info)
        guard case .standardError = configuration.logTarget else {
            Issue.record("the logger was taken")
            return
        }
    }

    // MARK: Files

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBszCCAVmgAwIBAgIUOr
        -----END CERTIFICATE-----

        """

    private static func setCAFile(_ path: String, in configuration: inout Configuration) -> String? {
        problem(&configuration) { configuration in
            try withBytes(of: path) { try configuration.setCAFile($0) }
        }
    }

    @Test(arguments: [
        certificate, "Issuer: a private authority\n" + certificate, certificate + certificate,
        "---- -----BEGIN \n" + certificate,
    ])
    func aFileWithCertificatesIsTakenAndCanBeCleared(_ content: String) throws {
        let file = try #require(TemporaryFile(content))
        var configuration = Configuration()
        #expect(configuration.caFile == nil)
        let problem = Self.setCAFile(file.path, in: &configuration)
        #expect(problem == nil)
        #expect(configuration.caFile == Array(file.path.utf8) + [0])
        configuration.clearCAFile()
        #expect(configuration.caFile == nil)
    }

    @Test func aFileThatCannotBeReadIsRefused() throws {
        let file = try #require(TemporaryFile(Self.certificate))
        // A directory can be opened, but it is no file.
        let wrong = [
            "", "/", "/tmp", ".", "/dev/null", "/no/such/file", file.path + "/x", file.path + ".not",
            String(repeating: "x", count: 10_000),
        ]
        for path in wrong {
            var configuration = Configuration()
            _ = Self.setCAFile(file.path, in: &configuration)
            let problem = Self.setCAFile(path, in: &configuration)
            #expect(problem?.contains("PEM") == true, "\(path)")
            #expect(configuration.caFile == Array(file.path.utf8) + [0], "\(path)")
        }
    }

    @Test(arguments: [
        "", "\n", "certificate", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----END CERTIFICATE-----\n", "MIIBszCCAVmgAwIBAgIUOr",
    ])
    func aFileWithoutACertificateIsRefused(_ content: String) throws {
        let file = try #require(TemporaryFile(content))
        var configuration = Configuration()
        let problem = Self.setCAFile(file.path, in: &configuration)
        #expect(problem?.contains("PEM") == true)
        #expect(configuration.caFile == nil)
    }

    // MARK: The whole

    private static func configuration(url: String, allowsInsecureHTTP: Bool = false) throws -> Configuration {
        var configuration = Configuration()
        try withBytes(of: url) { try configuration.setAPIURL($0) }
        try configuration.setAllowsInsecureHTTP(allowsInsecureHTTP ? 1 : 0)
        return configuration
    }

    @Test func withoutAURLThereIsAProblem() {
        let problem = Configuration().problem
        #expect(problem?.contains("HANKO_API_URL") == true)
    }

    @Test(arguments: [
        ("https://tenant.hanko.io", false, true), ("https://tenant.hanko.io", true, true),
        ("http://localhost:8000", false, true), ("http://127.0.0.1", false, true), ("http://127.255.0.9", false, true),
        ("http://[::1]:8000", false, true), ("http://hanko.internal", false, false),
        ("http://hanko.internal", true, true), ("http://localhost.example.com", false, false),
        ("http://128.0.0.1", false, false), ("http://192.168.1.1", false, false),
    ])
    func plainHTTPIsForLoopbackUnlessAllowed(_ url: String, _ allowed: Bool, _ isRight: Bool) throws {
        let problem = try Self.configuration(url: url, allowsInsecureHTTP: allowed).problem
        #expect((problem == nil) == isRight)
        if !isRight { #expect(problem?.contains("https://") == true) }
    }

    @Test func aURLThatIsRefusedLeavesTheOldOne() throws {
        var configuration = try Self.configuration(url: "https://tenant.hanko.io")
        for url in ["", "tenant.hanko.io", "ftp://x", "https://", "https://a b", "https://u:p@x", "https://x?y"] {
            let problem = Self.problem(&configuration) { configuration in
                try withBytes(of: url) { try configuration.setAPIURL($0) }
            }
            #expect(problem != nil, "\(url)")
            #expect(configuration.problem == nil)
            #expect(configuration.apiURL?.isHTTPS == true)
        }
    }

    @Test func aCopyIsAnotherOne() throws {
        var first = try Self.configuration(url: "https://tenant.hanko.io")
        var second = first
        try Self.add("a", to: &second)
        try second.setTimeout(milliseconds: 5)
        #expect(first.audiences.isEmpty && first.timeoutMilliseconds == 10_000)
        try Self.add("b", to: &first)
        #expect(Self.audiences(second) == ["a"])
    }
}
