import HankoCore
import Testing

@Suite struct LogLimiterTests {
    private static let second: Int64 = 1_000_000_000

    @Test func aSecondLineWithinASecondIsLeftOutAndCounted() {
        var limiter = LogLimiter()
        let start: Int64 = 123
        let results = [
            limiter.admit(status: 4, code: 503, now: start),
            limiter.admit(status: 4, code: 503, now: start),
            limiter.admit(status: 4, code: 503, now: start + Self.second - 1),
            limiter.admit(status: 4, code: 503, now: start + Self.second),
            limiter.admit(status: 4, code: 503, now: start + Self.second + 1),
            limiter.admit(status: 4, code: 503, now: start + 3 * Self.second),
            limiter.admit(status: 4, code: 503, now: start + 10 * Self.second),
        ]
        #expect(results == [0, nil, nil, 2, nil, 1, 0])
    }

    @Test func theFirstLineIsWrittenWhateverTheClockSays() {
        for now in [Int64.min, -1, 0, 1, Int64.max] {
            var limiter = LogLimiter()
            let result = limiter.admit(status: 4, code: 0, now: now)
            #expect(result == 0, "\(now)")
        }
    }

    @Test func statusesAndCodesDoNotDisturbEachOther() {
        var limiter = LogLimiter()
        let pairs: [(Int32, Int32)] = [(4, 503), (4, 502), (5, 503), (3, 0), (4, 0), (4, -1), (-1, 503), (0, 0)]
        for (status, code) in pairs {
            let result = limiter.admit(status: status, code: code, now: 0)
            #expect(result == 0, "\(status) \(code)")
        }
        for (status, code) in pairs {
            let result = limiter.admit(status: status, code: code, now: 1)
            #expect(result == nil, "\(status) \(code)")
        }
        for (status, code) in pairs {
            let result = limiter.admit(status: status, code: code, now: Self.second)
            #expect(result == 1, "\(status) \(code)")
        }
    }

    @Test func aRunOfManyLinesIsOneASecondAndNoneIsLostInTheCount() {
        var limiter = LogLimiter()
        var written: Int64 = 0
        var leftOut: Int64 = 0
        // A hundred lines a second for a minute.
        for tick in 0..<6_000 {
            if let suppressed = limiter.admit(status: 4, code: 503, now: Int64(tick) * 10_000_000) {
                written += 1
                leftOut += suppressed
            }
        }
        #expect(written == 60)
        #expect(leftOut == 59 * 99)
    }

    @Test func sixtyFourPairsAreToldApart() {
        var limiter = LogLimiter()
        for code in Int32(0)..<64 {
            let result = limiter.admit(status: 5, code: code, now: Int64(code))
            #expect(result == 0)
        }
        for code in Int32(0)..<64 {
            let result = limiter.admit(status: 5, code: code, now: 100)
            #expect(result == nil, "\(code)")
        }
    }

    @Test func theOneThatWasQuietLongestMakesRoom() {
        var limiter = LogLimiter()
        for code in Int32(0)..<64 { _ = limiter.admit(status: 5, code: code, now: Int64(code)) }
        // The first one speaks again, so that the second is now the one that was quiet longest.
        let spoken = limiter.admit(status: 5, code: 0, now: Self.second)
        let newcomer = limiter.admit(status: 5, code: 1_000, now: Self.second)
        #expect(spoken == 0 && newcomer == 0)
        let others = (2..<64).map { limiter.admit(status: 5, code: Int32($0), now: Self.second) }
        #expect(others == [Int64?](repeating: nil, count: 62))
        let first = limiter.admit(status: 5, code: 0, now: Self.second + 1)
        #expect(first == nil)
        let forgotten = limiter.admit(status: 5, code: 1, now: Self.second + 1)
        #expect(forgotten == 0)
    }

    @Test func itStaysSmallHoweverManyPairsThereAre() {
        var limiter = LogLimiter()
        for code in Int32(0)..<5_000 {
            let result = limiter.admit(status: 6, code: code, now: Int64(code))
            #expect(result == 0)
        }
    }
}
