import Glibc
@testable import HankoCore
import Testing

@Suite struct EnvironmentTests {
    private static func environment(_ entries: String...) -> Environment {
        Environment(entries: entries.flatMap { Array($0.utf8) + [0] })
    }

    /// A value as text; nil when it is not set.
    private static func value(_ variable: EnvironmentVariable, in environment: Environment) throws -> String? {
        try environment.withValue(of: variable) { $0.string ?? "not UTF-8" }
    }

    @Test func aValueIsGivenAsItIs() throws {
        let environment = Self.environment("HANKO_LOG= a=b ", "HANKO_AUDIENCE=", "HANKO_CA_FILE=")
        #expect(try Self.value(.logLevel, in: environment) == " a=b ")
        // Empty counts as unset, but for the audience.
        #expect(try Self.value(.caFile, in: environment) == nil)
        #expect(try Self.value(.audience, in: environment) == "")
        #expect(try Self.value(.timeout, in: environment) == nil)
    }

    @Test func anEnvironmentWithoutEntriesOrEndIsNoTrap() throws {
        #expect(try Self.value(.logLevel, in: Environment(entries: [])) == nil)
        #expect(try Self.value(.logLevel, in: Environment(entries: [0, 0])) == nil)
        #expect(try Self.value(.logLevel, in: Environment(entries: Array("HANKO_LOG".utf8))) == nil)
        #expect(try Self.value(.logLevel, in: Environment(entries: Array("HANKO_LOG=off".utf8))) == "off")
    }

    @Test func whatTheFunctionThrowsComesThrough() {
        let environment = Self.environment("HANKO_LOG=x")
        var text = ""
        do {
            _ = try environment.withValue(of: .logLevel) { (_) throws(ConfigurationError) in
                throw ConfigurationError("wrong")
            }
        } catch {
            text = "\(error.text)"
        }
        #expect(text == "wrong")
    }

    @Test func theProcessIsCurrentWithItself() {
        let environment = Environment.ofProcess()
        #expect(environment.isCurrent())
        #expect(!environment.isHidden)
    }

    @Test func anEnvironmentOfOtherEntriesIsNotCurrent() {
        #expect(!Self.environment("HANKO_OTHER_THAN_ANY_PROCESS_HAS=1").isCurrent())
    }

    /// In a process of its own: no other test may see the environment change.
    @Test func everyChangeOfOurVariablesIsSeen() async {
        await #expect(processExitsWith: .success) {
            func expect(_ condition: Bool, line: Int32 = #line) { if !condition { exit(line) } }
            for variable in EnvironmentVariable.allCases { unsetenv("\(variable.name)") }
            let empty = Environment.ofProcess()
            expect(empty.isCurrent())

            setenv("HANKO_API_URL", "https://a.example", 1)
            expect(!empty.isCurrent())
            let one = Environment.ofProcess()
            expect(one.isCurrent())
            expect(EnvironmentReading(one).problem == nil)

            // Other variables are of no matter, also those that come before ours.
            setenv("OTHER_THAN_HANKO", "x", 1)
            setenv("HANK", "x", 1)
            setenv("hanko_api_url", "x", 1)
            expect(one.isCurrent())

            setenv("HANKO_API_URL", "https://b.example", 1)
            expect(!one.isCurrent())
            setenv("HANKO_API_URL", "https://a.example/", 1)
            expect(!one.isCurrent())
            setenv("HANKO_API_URL", "https://a.exampl", 1)
            expect(!one.isCurrent())
            setenv("HANKO_API_URL", "", 1)
            expect(!one.isCurrent())
            setenv("HANKO_API_URL", "https://a.example", 1)
            expect(one.isCurrent())

            setenv("HANKO_TIMEOUT_MS", "5", 1)
            expect(!one.isCurrent())
            let two = Environment.ofProcess()
            expect(two.isCurrent())
            expect(EnvironmentReading(two).configuration.timeoutMilliseconds == 5)
            unsetenv("HANKO_TIMEOUT_MS")
            expect(!two.isCurrent())
            expect(one.isCurrent())

            unsetenv("HANKO_API_URL")
            expect(!one.isCurrent())
            expect(empty.isCurrent())
        }
    }

    @Test func aProcessWithoutAnyEnvironmentIsRead() async {
        await #expect(processExitsWith: .success) {
            clearenv()
            let environment = Environment.ofProcess()
            if !environment.isCurrent() { exit(1) }
            if EnvironmentReading(environment).problem == nil { exit(2) }
        }
    }

    /// The checks above end their process by hand; this one shows that they would be noticed.
    @Test func aCheckThatFailsInAProcessOfItsOwnIsNoticed() async {
        await #expect(processExitsWith: .exitCode(7)) {
            setenv("HANKO_LOG", "off", 1)
            let environment = Environment.ofProcess()
            setenv("HANKO_LOG", "debug", 1)
            if !environment.isCurrent() { exit(7) }
        }
    }
}
