import HankoCore
import Testing

@Suite struct DeadlineTests {
    @Test func itComesThatManyMillisecondsLater() {
        #expect(Deadline(milliseconds: 10_000, after: 5).nanoseconds == 10_000_000_005)
        #expect(Deadline(milliseconds: 3_600_000, after: 0).nanoseconds == 3_600_000_000_000)
        #expect(Deadline(milliseconds: 0, after: 7).nanoseconds == 7)
    }

    @Test(
        arguments: [
            (1_000_000_000, 1_000), (999_999_999, 1_000), (999_000_001, 1_000), (999_000_000, 999), (1_000_000, 1),
            (1_000_001, 2), (999_999, 1), (1, 1), (0, 0), (-1, 0), (-1_000_000_000, 0),
        ] as [(Int64, Int64)])
    func aRestOfLessThanAMillisecondIsNotLost(_ nanoseconds: Int64, _ milliseconds: Int64) {
        let now: Int64 = 77_000_000_123
        let deadline = Deadline(nanoseconds: now + nanoseconds)
        #expect(deadline.remainingMilliseconds(at: now) == milliseconds)
        #expect(deadline.hasPassed(at: now) == (nanoseconds <= 0))
    }

    @Test func allIsLeftAtTheStart() {
        for milliseconds: Int64 in [1, 3_000, 10_000, 3_600_000] {
            let deadline = Deadline(milliseconds: milliseconds, after: 999)
            #expect(deadline.remainingMilliseconds(at: 999) == milliseconds)
            #expect(deadline.remainingMilliseconds(at: 1_000) == milliseconds)
        }
    }
}
