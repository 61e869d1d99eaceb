@testable import HankoCore
import Synchronization
import Testing

/// `LogLimiterTests` say what is admitted; here, that threads do not disturb it.
@Suite struct LockedLogLimiterTests {
    @Test func theFirstLineOfEachPairPasses() {
        let limiter = Locked(LogLimiter())
        for status in Status.allCases {
            for code in [0, 200, 429, 503, 999] {
                #expect(limiter.admit(status, code) == 0, "\(status) \(code)")
            }
        }
    }

    @Test func eachPairPassesOnceHoweverManyThreadsBringIt() throws {
        let limiter = Locked(LogLimiter())
        let admitted = (0..<32).map { _ in Counter() }
        let start = Clock.monotonicNanoseconds()
        let crew = try #require(
            Crew.start(4) { _ in
                for _ in 0..<50 {
                    for code in 0..<32 where limiter.admit(.unavailable, code) != nil {
                        admitted[code].value.add(1, ordering: .sequentiallyConsistent)
                    }
                }
            })
        crew.wait()
        // One each, and one more for each second that a busy machine may have taken.
        let seconds = Int((Clock.monotonicNanoseconds() - start) / 1_000_000_000)
        for counter in admitted {
            let count = counter.value.load(ordering: .sequentiallyConsistent)
            #expect(count >= 1 && count <= 1 + seconds)
        }
    }

    @Test func whatWasLeftOutIsToldAndNotLost() throws {
        let limiter = Locked(LogLimiter())
        let told = Counter()
        let calls = 4 * 500
        let crew = try #require(
            Crew.start(4) { _ in
                for _ in 0..<calls / 4 {
                    if let suppressed = limiter.admit(.timeout, 0) {
                        told.value.add(1 + Int(suppressed), ordering: .sequentiallyConsistent)
                    }
                }
            })
        crew.wait()
        // Once a second has passed, the next line tells of all that were left out in between.
        var last: Int64?
        for _ in 0..<1_000 where last == nil {
            Clock.sleep(until: Clock.monotonicNanoseconds() + 50_000_000)
            let suppressed = limiter.admit(.timeout, 0)
            if let suppressed {
                last = suppressed
            } else {
                told.value.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
        #expect(last != nil)
        let total = told.value.load(ordering: .sequentiallyConsistent) + Int(last ?? 0)
        #expect(total == calls)
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
}

extension Locked<LogLimiter> {
    fileprivate func admit(_ status: Status, _ code: Int) -> Int64? {
        with { $0.admit(status: status.rawValue, code: Int32(code), now: Clock.monotonicNanoseconds()) }
    }
}
