import HankoCore
import Testing

@Suite struct LogLevelTests {
    private static let levels: [(String, LogLevel)] = [
        ("off", .off), ("error", .error), ("warning", .warning), ("info", .info), ("debug", .debug),
    ]

    @Test func eachLevelHasItsName() {
        for (name, level) in Self.levels {
            #expect(LogLevel(named: ByteView(level.name)) == level)
            #expect("\(level.name)" == name)
        }
        // No level was forgotten: the next number is none.
        #expect(LogLevel(rawValue: -1) == nil)
        #expect(LogLevel(rawValue: Int32(Self.levels.count)) == nil)
    }

    @Test func theCaseDoesNotMatter() {
        for (name, level) in Self.levels {
            #expect(withBytes(of: name.uppercased()) { LogLevel(named: $0) } == level)
        }
    }

    @Test(arguments: ["", "0ff", " error", "error ", "err", "errors", "warn", "trace", "0", "error\0"])
    func otherWordsAreNone(_ name: String) {
        #expect(withBytes(of: name) { LogLevel(named: $0) } == nil)
    }

    @Test func theyAscendFromNothingToEverything() {
        let levels = Self.levels.map(\.1)
        #expect(levels.map(\.rawValue) == [0, 1, 2, 3, 4])
        for (left, right) in zip(levels, levels.dropFirst()) {
            #expect(left < right)
            #expect(!(right < left))
            #expect(!(left < left))
        }
    }
}
