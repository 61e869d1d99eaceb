import HankoCore
import Testing

/// When a request is sent again, row by row of the design's "Retry".
@Suite struct RetryPolicyTests {
    private static let second: Int64 = 1_000_000_000
    private static let now = Judge.now

    private static func pause(_ end: ExchangeEnd, retry: Int64 = 0, random: UInt64 = 0) -> Int64? {
        RetryPolicy.pause(after: end, retry: retry, now: now, random: random)
    }

    // MARK: Where

    @Test func onlyWhereHankoCannotHaveAnswered() {
        for failure in Ends.failures {
            let isRetried: Bool
            switch failure {
            // The last two: closed or reset before the first byte of an answer.
            case .connect, .connectionReset, .emptyReply: isRetried = true
            default: isRetried = false
            }
            #expect((Self.pause(.failure(failure)) != nil) == isRetried, "\(failure)")
        }
    }

    @Test func neverAfterATimeout() {
        for failure in [TransportFailure.deadline, .connectTimeout] { #expect(Self.pause(.failure(failure)) == nil) }
        #expect(Self.pause(Ends.answer(408)) == nil)
    }

    @Test func ofTheStatusesOnlyThoseOfWhatStandsInFrontOfHanko() {
        for status in 100...999 {
            let isRetried = [502, 503, 504].contains(status)
            #expect((Self.pause(Ends.answer(status)) != nil) == isRetried, "\(status)")
        }
    }

    @Test func a429OnlyWithARetryAfter() {
        #expect(Self.pause(Ends.answer(429)) == nil)
        #expect(Self.pause(Ends.answer(429) { $0.retryAfter = .delay(3) }) == 3 * Self.second)
    }

    @Test func aRetryAfterChangesNothingForOtherStatuses() {
        for status in 100...999 where ![429, 502, 503, 504].contains(status) {
            #expect(Self.pause(Ends.answer(status) { $0.retryAfter = .delay(0) }) == nil, "\(status)")
        }
    }

    // MARK: Backoff

    private static var retried: [ExchangeEnd] {
        [.failure(.connect), .failure(.connectionReset), .failure(.emptyReply)]
            + [Ends.answer(502), Ends.answer(503), Ends.answer(504)]
    }

    @Test func thePauseIsJitteredAndDoublesUpToALimit() throws {
        var dice = SeededGenerator(seed: 5)
        for (index, end) in Self.retried.enumerated() {
            for retry in 0...12 as ClosedRange<Int64> {
                let whole = min(100_000_000 << min(retry, 10), 2 * Self.second)
                var least = Int64.max
                var most = Int64.min
                for round in 0..<400 {
                    let random = round == 0 ? 0 : round == 1 ? UInt64.max : dice.next()
                    let pause = try #require(Self.pause(end, retry: retry, random: random))
                    least = min(least, pause)
                    most = max(most, pause)
                }
                // Half to all of it, and all of that range is used.
                #expect(least >= whole / 2 && most <= whole, "end \(index), retry \(retry)")
                #expect(least < whole / 2 + whole / 20 && most > whole - whole / 20, "end \(index), retry \(retry)")
            }
        }
    }

    @Test(arguments: [13, 64, 1_000_000, Int64.max] as [Int64])
    func thePauseStaysWithinItsLimitHoweverManyCameBefore(_ retry: Int64) throws {
        for random in [0, 1, UInt64.max, 1 << 63] {
            let pause = try #require(Self.pause(.failure(.connect), retry: retry, random: random))
            #expect(pause >= Self.second && pause <= 2 * Self.second)
        }
    }

    // MARK: Retry-After

    @Test(arguments: [429, 502, 503, 504])
    func secondsAreTakenAsTheyAre(_ status: Int) {
        for seconds in [0, 1, 2, 59, 3_600] as [Int64] {
            let end = Ends.answer(status) { $0.retryAfter = .delay(seconds) }
            for random in [0, UInt64.max] {
                #expect(Self.pause(end, retry: 3, random: random) == seconds * Self.second)
            }
        }
    }

    @Test(arguments: [429, 502, 503, 504])
    func aDateIsRelativeToTheServersOwn(_ status: Int) {
        // The two clocks disagree by an hour, which must not matter.
        for (serverDate, seconds) in [(Self.now - 3_600, 7), (Self.now + 3_600, 7), (Self.now, 0)] as [(Int64, Int64)] {
            let end = Ends.answer(status) {
                $0.date = serverDate
                $0.retryAfter = .date(serverDate + seconds)
            }
            #expect(Self.pause(end) == seconds * Self.second)
        }
    }

    @Test func aDateWithoutTheServersOwnIsRelativeToOurs() {
        let end = Ends.answer(503) { $0.retryAfter = .date(Self.now + 5) }
        #expect(Self.pause(end) == 5 * Self.second)
    }

    @Test func aMomentThatIsOverIsNow() {
        for date in [Self.now - 1, Self.now - 1_000_000, 0] {
            #expect(Self.pause(Ends.answer(503) { $0.retryAfter = .date(date) }) == 0)
            let withServersDate = Ends.answer(429) {
                $0.date = Self.now
                $0.retryAfter = .date(date)
            }
            #expect(Self.pause(withServersDate) == 0)
        }
        #expect(Self.pause(Ends.answer(503) { $0.retryAfter = .delay(-5) }) == 0)
    }

    @Test(arguments: [3_601, 1_000_000, 1_000_001, 9_223_372_037, Int64.max] as [Int64])
    func aHugeOneIsLongerThanEveryDeadlineAndDoesNotOverflow(_ seconds: Int64) throws {
        let longestDeadline = 3_600 * Self.second
        for retryAfter in [
            RetryAfter.delay(seconds),
            .date(
                Self.now.addingReportingOverflow(seconds).overflow
                    ? .max : Self.now + seconds),
        ] {
            let pause = try #require(Self.pause(Ends.answer(503) { $0.retryAfter = retryAfter }))
            #expect(pause > longestDeadline)
            // It can be added to every monotonic time without overflow: that is less than three centuries.
            #expect(pause <= 1_000_000 * Self.second)
        }
    }
}
