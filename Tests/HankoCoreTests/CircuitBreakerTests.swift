import HankoCore
import Testing

@Suite struct CircuitBreakerTests {
    private static let second: Int64 = 1_000_000_000

    /// Lets exchanges happen one after the other.
    ///
    /// - Returns: for each, whether the breaker opened with it; nil when it was not admitted.
    @discardableResult
    private static func exchange(
        _ breaker: inout CircuitBreaker, _ outcomes: [ExchangeOutcome], at now: Int64 = 0
    ) -> [Bool?] {
        outcomes.map { outcome in breaker.admit(at: now).map { breaker.settle($0, outcome, at: now) } }
    }

    private static func times(_ count: Int, _ outcome: ExchangeOutcome) -> [ExchangeOutcome] {
        [ExchangeOutcome](repeating: outcome, count: count)
    }

    /// One that has just opened.
    private static func opened(at now: Int64 = 0) -> CircuitBreaker {
        var breaker = CircuitBreaker()
        exchange(&breaker, times(10, .failure), at: now)
        return breaker
    }

    private static func probe(_ breaker: inout CircuitBreaker, _ outcome: ExchangeOutcome, at now: Int64) -> Bool {
        guard let permit = breaker.admit(at: now) else { return false }
        breaker.settle(permit, outcome, at: now)
        return true
    }

    // MARK: Opening

    @Test func aNewOneIsClosed() {
        var breaker = CircuitBreaker()
        for now in [Int64.min, -1, 0, 1, Int64.max] {
            let admitted = breaker.admit(at: now) != nil
            #expect(admitted)
            #expect(breaker.wouldAdmit(at: now))
        }
        #expect(breaker.openedCount == 0)
    }

    @Test func theTenthFailureOpensEvenBeforeTwentyExchanges() {
        var breaker = CircuitBreaker()
        let first = Self.exchange(&breaker, Self.times(9, .failure))
        #expect(first == [Bool?](repeating: false, count: 9))
        #expect(breaker.wouldAdmit(at: 0))
        #expect(breaker.openedCount == 0)
        let tenth = Self.exchange(&breaker, [.failure])
        #expect(tenth == [true])
        #expect(!breaker.wouldAdmit(at: 0))
        #expect(breaker.openedCount == 1)
        let eleventh = Self.exchange(&breaker, [.success])
        #expect(eleventh == [nil])
    }

    @Test func tenOfTwentyOpenInWhateverOrder() {
        var dice = SeededGenerator(seed: 4)
        for round in 0..<200 {
            var breaker = CircuitBreaker()
            var outcomes = Self.times(10, .success) + Self.times(9, .failure)
            outcomes.shuffle(using: &dice)
            let before = Self.exchange(&breaker, outcomes)
            #expect(!before.contains(true) && !before.contains(nil), "round \(round)")
            let last = Self.exchange(&breaker, [.failure])
            #expect(last == [true], "round \(round)")
        }
    }

    @Test func aSuccessNeverOpens() {
        // Nine failures and then successes: the window slides, and ten are never in it.
        var breaker = CircuitBreaker()
        for _ in 0..<50 {
            let results = Self.exchange(&breaker, Self.times(9, .failure) + Self.times(11, .success))
            #expect(results == [Bool?](repeating: false, count: 20))
        }
    }

    @Test func theTwentyFirstIsForgotten() {
        var breaker = CircuitBreaker()
        // The first failure is the 21st from the end when the tenth comes.
        let kept = Self.exchange(
            &breaker, [.failure] + Self.times(11, .success) + Self.times(8, .failure) + [.failure])
        #expect(kept == [Bool?](repeating: false, count: 21))
        // And now the window holds nine failures behind eleven successes, so that one more opens.
        let last = Self.exchange(&breaker, [.failure])
        #expect(last == [true])
        var other = CircuitBreaker()
        let exactly = Self.exchange(&other, [.failure] + Self.times(10, .success) + Self.times(9, .failure))
        #expect(exactly.last == true)
        #expect(exactly.dropLast().allSatisfy { $0 == false })
    }

    @Test func halfIsEnoughAndLessIsNot() {
        var half = CircuitBreaker()
        let alternating = (0..<20).map { $0 % 2 == 0 ? ExchangeOutcome.success : .failure }
        let results = Self.exchange(&half, alternating)
        #expect(results.last == true)
        var less = CircuitBreaker()
        for _ in 0..<100 {
            let results = Self.exchange(&less, [.failure, .success, .success])
            #expect(results == [false, false, false])
        }
    }

    @Test func whatCountsAsNothingChangesNothing() {
        var breaker = CircuitBreaker()
        Self.exchange(&breaker, Self.times(9, .failure))
        // They neither count as failures nor push failures out of the window.
        let nothings = Self.exchange(&breaker, Self.times(1_000, .nothing))
        #expect(nothings == [Bool?](repeating: false, count: 1_000))
        let last = Self.exchange(&breaker, [.failure])
        #expect(last == [true])
    }

    @Test func exchangesAtTheSameTimeCountInTheOrderOfTheirEnds() {
        var breaker = CircuitBreaker()
        let permits = (0..<30).compactMap { _ in breaker.admit(at: 0) }
        #expect(permits.count == 30)
        let opened = permits.map { breaker.settle($0, .failure, at: 0) }
        // The tenth opens; what comes afterwards belongs to a period that is over.
        #expect(opened == (0..<30).map { $0 == 9 })
        #expect(breaker.openedCount == 1)
    }

    // MARK: Probing

    @Test func afterASecondOneProbes() {
        var breaker = Self.opened(at: 77)
        for early in [77, 78, 77 + Self.second - 1] {
            let admitted = breaker.admit(at: early) != nil
            #expect(!admitted)
            #expect(!breaker.wouldAdmit(at: early))
        }
        #expect(breaker.wouldAdmit(at: 77 + Self.second))
        let probe = breaker.admit(at: 77 + Self.second) != nil
        #expect(probe)
        // As long as it is out, nobody else gets in, whatever the time.
        for late in [77 + Self.second, 77 + 100 * Self.second, Int64.max] {
            let admitted = breaker.admit(at: late) != nil
            #expect(!admitted)
            #expect(!breaker.wouldAdmit(at: late))
        }
    }

    @Test func aProbeThatSucceedsCloses() {
        var breaker = Self.opened()
        let probed = Self.probe(&breaker, .success, at: Self.second)
        #expect(probed)
        // Everybody at once, and what was before is forgotten.
        let nine = Self.exchange(&breaker, Self.times(9, .failure), at: Self.second)
        #expect(nine == [Bool?](repeating: false, count: 9))
        #expect(breaker.openedCount == 1)
        let tenth = Self.exchange(&breaker, [.failure], at: Self.second)
        #expect(tenth == [true])
        #expect(breaker.openedCount == 2)
    }

    @Test func eachFailedProbeDoublesThePauseUpTo30Seconds() {
        var breaker = Self.opened(at: 5)
        var now: Int64 = 5
        for seconds in [1, 2, 4, 8, 16, 30, 30, 30, 30] as [Int64] {
            #expect(!breaker.wouldAdmit(at: now + seconds * Self.second - 1), "\(seconds)")
            now += seconds * Self.second
            let probed = Self.probe(&breaker, .failure, at: now)
            #expect(probed, "\(seconds)")
        }
        // It opened once and never closed since.
        #expect(breaker.openedCount == 1)
    }

    @Test func thePauseCountsFromTheEndOfTheProbe() throws {
        var breaker = Self.opened()
        let admitted = breaker.admit(at: Self.second)
        let permit = try #require(admitted)
        breaker.settle(permit, .failure, at: 9 * Self.second)
        #expect(!breaker.wouldAdmit(at: 11 * Self.second - 1))
        #expect(breaker.wouldAdmit(at: 11 * Self.second))
    }

    @Test func afterItClosedThePauseBeginsAnew() {
        var breaker = Self.opened()
        _ = Self.probe(&breaker, .failure, at: Self.second)
        _ = Self.probe(&breaker, .failure, at: 3 * Self.second)
        let closed = Self.probe(&breaker, .success, at: 7 * Self.second)
        #expect(closed)
        Self.exchange(&breaker, Self.times(10, .failure), at: 7 * Self.second)
        #expect(!breaker.wouldAdmit(at: 8 * Self.second - 1))
        #expect(breaker.wouldAdmit(at: 8 * Self.second))
    }

    @Test func aProbeThatCountsAsNothingPassesTheProbeOn() {
        var breaker = Self.opened()
        for _ in 0..<5 {
            let probed = Self.probe(&breaker, .nothing, at: Self.second)
            #expect(probed)
            // At once, without another pause.
            #expect(breaker.wouldAdmit(at: Self.second))
        }
        let failed = Self.probe(&breaker, .failure, at: Self.second)
        #expect(failed)
        // And it made the pause no longer.
        #expect(!breaker.wouldAdmit(at: 3 * Self.second - 1))
        #expect(breaker.wouldAdmit(at: 3 * Self.second))
    }

    @Test(arguments: [ExchangeOutcome.success, .failure, .nothing])
    func whatComesBackFromAnEarlierPeriodDoesNotCount(_ outcome: ExchangeOutcome) throws {
        var breaker = CircuitBreaker()
        let late = (0..<4).compactMap { _ in breaker.admit(at: 0) }
        Self.exchange(&breaker, Self.times(10, .failure))
        // While it is open.
        let whileOpen = breaker.settle(late[0], outcome, at: 0)
        #expect(!whileOpen)
        #expect(!breaker.wouldAdmit(at: Self.second - 1))
        #expect(breaker.wouldAdmit(at: Self.second))
        // While the probe is out.
        let admitted = breaker.admit(at: Self.second)
        let probe = try #require(admitted)
        let whileProbing = breaker.settle(late[1], outcome, at: Self.second)
        #expect(!whileProbing)
        #expect(!breaker.wouldAdmit(at: Self.second))
        // After a failed probe.
        breaker.settle(probe, .failure, at: Self.second)
        let afterFailure = breaker.settle(late[2], outcome, at: Self.second)
        #expect(!afterFailure)
        #expect(!breaker.wouldAdmit(at: 3 * Self.second - 1))
        #expect(breaker.wouldAdmit(at: 3 * Self.second))
        // In the next closed period.
        _ = Self.probe(&breaker, .success, at: 3 * Self.second)
        Self.exchange(&breaker, Self.times(9, .failure), at: 3 * Self.second)
        let afterwards = breaker.settle(late[3], outcome, at: 3 * Self.second)
        #expect(!afterwards)
        #expect(breaker.wouldAdmit(at: 3 * Self.second))
        let tenth = Self.exchange(&breaker, [.failure], at: 3 * Self.second)
        #expect(tenth == [true])
    }

    @Test func lookingHasNoEffect() {
        var looked = Self.opened()
        var other = Self.opened()
        for now in stride(from: Int64(0), to: 10 * Self.second, by: 100_000_000) {
            for _ in 0..<3 { _ = looked.wouldAdmit(at: now) }
            let mine = Self.probe(&looked, .failure, at: now)
            let theirs = Self.probe(&other, .failure, at: now)
            #expect(mine == theirs, "\(now)")
        }
        #expect(looked.openedCount == other.openedCount)
    }

    // MARK: Against the text of the design

    /// The design's sentences, one by one and by the simplest means.
    private struct PlainBreaker {
        struct Ticket {
            let permit: CircuitBreaker.Permit
            let isProbe: Bool
            /// Which closed period it was given out in.
            let period: Int
        }

        var lastTwenty: [ExchangeOutcome] = []
        var isOpen = false
        var asksAgainAt: Int64 = 0
        var pause: Int64 = 0
        var probeIsOut = false
        var period = 0
        var openedCount: UInt64 = 0

        func admits(at now: Int64) -> Bool {
            if !isOpen { return true }
            return !probeIsOut && asksAgainAt <= now
        }

        /// - Returns: whether it opened.
        mutating func settle(_ ticket: Ticket, _ outcome: ExchangeOutcome, at now: Int64) -> Bool {
            if ticket.isProbe {
                probeIsOut = false
                if outcome == .success {
                    isOpen = false
                    lastTwenty = []
                    period += 1
                } else if outcome == .failure {
                    pause *= 2
                    if pause > 30_000_000_000 { pause = 30_000_000_000 }
                    asksAgainAt = now + pause
                }
                return false
            }
            if isOpen || ticket.period != period || outcome == .nothing { return false }
            lastTwenty.append(outcome)
            if lastTwenty.count > 20 { lastTwenty.removeFirst() }
            if lastTwenty.filter({ $0 == .failure }).count < 10 { return false }
            isOpen = true
            openedCount += 1
            pause = 1_000_000_000
            asksAgainAt = now + pause
            return true
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func randomEventsHaveTheResultsOfAPlainBreaker(_ seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        var breaker = CircuitBreaker()
        var plain = PlainBreaker()
        var out: [PlainBreaker.Ticket] = []
        var now: Int64 = 0
        var seen = (opened: 0, refused: 0, probes: 0, lateResults: 0, passedOn: 0, longestPause: Int64(0))
        for step in 0..<30_000 {
            // Phases of a server that is well, ill and in between.
            let failurePercent = [5, 95, 50, 35][step / 500 % 4]
            now += Int64(dice.below(dice.chance(3) ? 4_000_000_000 : 50_000_000))
            let would = breaker.wouldAdmit(at: now)
            try #require(would == plain.admits(at: now), "seed \(seed), step \(step)")
            if out.count < 30, dice.chance(55) {
                guard let permit = breaker.admit(at: now) else {
                    try #require(!plain.admits(at: now), "seed \(seed), step \(step)")
                    seen.refused += 1
                    continue
                }
                try #require(plain.admits(at: now), "seed \(seed), step \(step)")
                out.append(.init(permit: permit, isProbe: plain.isOpen, period: plain.period))
                if plain.isOpen {
                    plain.probeIsOut = true
                    seen.probes += 1
                }
            } else if !out.isEmpty {
                let ticket = out.remove(at: dice.below(out.count))
                let outcome: ExchangeOutcome =
                    dice.chance(10) ? .nothing : dice.chance(failurePercent) ? .failure : .success
                if !ticket.isProbe, plain.isOpen || ticket.period != plain.period { seen.lateResults += 1 }
                if ticket.isProbe, outcome == .nothing { seen.passedOn += 1 }
                let opened = breaker.settle(ticket.permit, outcome, at: now)
                let expected = plain.settle(ticket, outcome, at: now)
                try #require(opened == expected, "seed \(seed), step \(step)")
                if opened { seen.opened += 1 }
                seen.longestPause = max(seen.longestPause, plain.pause)
            }
            try #require(breaker.openedCount == plain.openedCount, "seed \(seed), step \(step)")
        }
        #expect(seen.opened > 10 && seen.refused > 100 && seen.probes > 30)
        #expect(seen.lateResults > 30 && seen.passedOn > 2)
        #expect(seen.longestPause == 30 * Self.second)
    }
}
