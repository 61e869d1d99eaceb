import Glibc
@testable import HankoCore
import Testing

@Suite struct WatchedEnvironmentTests {
    /// In a process of its own: no other test may see the environment change.
    private static func expect(_ condition: Bool, _ line: Int32 = #line) {
        if !condition { exit(line) }
    }

    @Test func itSaysTheSameAsTheEnvironmentAfterEachChange() async {
        await #expect(processExitsWith: .success) {
            clearenv()
            for number in 0..<500 { setenv("OTHER_\(number)", "x", 1) }
            setenv("HANKO_LOG", "off", 1)
            let watched = WatchedEnvironment(Environment.ofProcess())
            // The first time it reads everything, afterwards it remembers.
            Self.expect(watched.isCurrent())
            Self.expect(watched.isCurrent())
            // Another variable moves to another place, or ours does.
            setenv("ANOTHER", "x", 1)
            Self.expect(watched.isCurrent() && watched.isCurrent())
            unsetenv("OTHER_1")
            Self.expect(watched.isCurrent() && watched.isCurrent())
            for number in 0..<500 { setenv("MORE_\(number)", "x", 1) }
            Self.expect(watched.isCurrent() && watched.isCurrent())
            // Ours says something else, and what it said before.
            setenv("HANKO_LOG", "error", 1)
            Self.expect(!watched.isCurrent() && !watched.isCurrent())
            setenv("HANKO_LOG", "off", 1)
            Self.expect(watched.isCurrent() && watched.isCurrent())
            // One more of ours, and one less.
            setenv("HANKO_TIMEOUT_MS", "5", 1)
            Self.expect(!watched.isCurrent())
            unsetenv("HANKO_TIMEOUT_MS")
            Self.expect(watched.isCurrent())
            unsetenv("HANKO_LOG")
            Self.expect(!watched.isCurrent())
            clearenv()
            Self.expect(!watched.isCurrent())
            setenv("HANKO_LOG", "off", 1)
            Self.expect(watched.isCurrent() && watched.isCurrent())
        }
    }

    @Test func noEnvironmentIsRememberedAsWell() async {
        await #expect(processExitsWith: .success) {
            clearenv()
            let watched = WatchedEnvironment(Environment.ofProcess())
            Self.expect(watched.isCurrent() && watched.isCurrent())
            setenv("OTHER", "x", 1)
            Self.expect(watched.isCurrent() && watched.isCurrent())
            setenv("HANKO_LOG", "off", 1)
            Self.expect(!watched.isCurrent())
        }
    }

    @Test func aTextThatIsRewrittenInItsPlaceIsSeen() async {
        await #expect(processExitsWith: .success) {
            guard let text = strdup("HANKO_LOG=off") else { exit(1) }
            putenv(text)
            let watched = WatchedEnvironment(Environment.ofProcess())
            Self.expect(watched.isCurrent() && watched.isCurrent())
            strcpy(text, "HANKO_LOG=on")
            Self.expect(!watched.isCurrent())
            strcpy(text, "OTHER=x")
            Self.expect(!watched.isCurrent())
            strcpy(text, "HANKO_LOG=off")
            Self.expect(watched.isCurrent() && watched.isCurrent())
        }
    }

    @Test func anEntryWithoutAValueSetsNothing() async {
        await #expect(processExitsWith: .success) {
            setenv("HANKO_LOG", "off", 1)
            let before = Environment.ofProcess()
            environ[0] = strdup("HANKO_TIMEOUT_MS")
            Self.expect(before.isCurrent() && !before.isHidden)
            Self.expect(!Environment.ofProcess().isHidden)
        }
    }
}
