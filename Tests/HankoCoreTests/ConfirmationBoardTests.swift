import HankoCore
import Testing

/// Who asks for the key set and whom an answer may serve: the design's "An outage in disguise", sentence by sentence.
@Suite struct ConfirmationBoardTests {
    private static let second: Int64 = 1_000_000_000

    /// One with a number of requests that began and ended at given times.
    private static func board(_ flights: [(from: Int64, to: Int64, result: ConfirmationResult?)]) -> ConfirmationBoard {
        var board = ConfirmationBoard()
        for flight in flights {
            if case .begin(let number) = board.decide(rejectedAt: flight.from, mayBeGood: true, now: flight.from) {
                board.finish(number, result: flight.result, now: flight.to)
            }
        }
        return board
    }

    /// Ten requests have begun at a moment and ended as told, so that there may be no more for a second.
    private static func exhausted(at now: Int64, _ result: ConfirmationResult?) -> ConfirmationBoard {
        board((0..<10).map { _ in (now, now, result) })
    }

    private static func isBegin(_ decision: ConfirmationBoard.Decision) -> Bool {
        if case .begin = decision { return true }
        return false
    }

    // MARK: A token that could be good

    @Test(arguments: [true, false])
    func theFirstBeginsWhateverItsToken(_ mayBeGood: Bool) {
        var board = ConfirmationBoard()
        let decision = board.decide(rejectedAt: 0, mayBeGood: mayBeGood, now: 0)
        #expect(Self.isBegin(decision))
    }

    @Test func aGoodTokenIsNotServedByAnOlderAnswer() {
        for age in [0, 1, Self.second / 2, Self.second] {
            var board = Self.board([(0, 10, .stands)])
            let decision = board.decide(rejectedAt: 10 + age, mayBeGood: true, now: 10 + age)
            #expect(Self.isBegin(decision), "\(age)")
        }
        // Not even when the answer arrived after the "no": the request began before it.
        var board = Self.board([(0, 10, .stands)])
        let decision = board.decide(rejectedAt: 5, mayBeGood: true, now: 11)
        #expect(Self.isBegin(decision))
    }

    @Test func aGoodTokenJoinsOnlyARequestThatBeganAfterItsNo() {
        var board = ConfirmationBoard()
        let first = board.decide(rejectedAt: 100, mayBeGood: true, now: 100)
        guard case .begin(let number) = first else {
            Issue.record("\(first)")
            return
        }
        let before = board.decide(rejectedAt: 90, mayBeGood: true, now: 101)
        let same = board.decide(rejectedAt: 100, mayBeGood: true, now: 101)
        let after = board.decide(rejectedAt: 101, mayBeGood: true, now: 101)
        #expect(before == .join(number))
        #expect(same == .join(number))
        #expect(Self.isBegin(after))
        #expect(after != first)
    }

    @Test func allWhoWaitShareOneRequest() {
        var board = ConfirmationBoard()
        let first = board.decide(rejectedAt: 0, mayBeGood: true, now: 50)
        guard case .begin(let number) = first else {
            Issue.record("\(first)")
            return
        }
        for index in 0..<1_000 {
            let decision = board.decide(rejectedAt: Int64(index % 50), mayBeGood: index % 3 != 0, now: 51)
            #expect(decision == .join(number))
        }
    }

    @Test func afterARequestThatWasGivenUpWhoWaitedBeginsAnother() {
        for mayBeGood in [true, false] {
            var board = Self.board([(0, 10, nil)])
            let decision = board.decide(rejectedAt: 0, mayBeGood: mayBeGood, now: 10)
            #expect(Self.isBegin(decision))
        }
    }

    // MARK: Every other token

    @Test(arguments: [ConfirmationResult.stands, .outage(500), .outage(0), .notShown(403)])
    func everyOtherTokenIsServedByAnAnswerUpToASecondOld(_ result: ConfirmationResult) {
        for age in [0, 1, Self.second / 2, Self.second] {
            var board = Self.board([(0, 10, result)])
            let decision = board.decide(rejectedAt: 10 + age, mayBeGood: false, now: 10 + age)
            #expect(decision == .use(result), "\(age)")
        }
        var board = Self.board([(0, 10, result)])
        let tooOld = board.decide(rejectedAt: 0, mayBeGood: false, now: 11 + Self.second)
        #expect(Self.isBegin(tooOld))
    }

    @Test func theLastAnswerServes() {
        var board = Self.board([(0, 10, .outage(500)), (20, 30, .stands)])
        let decision = board.decide(rejectedAt: 31, mayBeGood: false, now: 31)
        #expect(decision == .use(.stands))
    }

    @Test func everyOtherTokenJoinsWhateverIsUnderWay() {
        var board = ConfirmationBoard()
        let first = board.decide(rejectedAt: 0, mayBeGood: true, now: 0)
        guard case .begin(let number) = first else {
            Issue.record("\(first)")
            return
        }
        let decision = board.decide(rejectedAt: 5 * Self.second, mayBeGood: false, now: 5 * Self.second)
        #expect(decision == .join(number))
    }

    @Test func garbageDoesNotMultiplyRequests() {
        var board = ConfirmationBoard()
        var begun = 0
        // A "no" each millisecond for ten seconds, each request answered 5 ms later.
        var underWay: (number: UInt64, ends: Int64)?
        for now in stride(from: Int64(0), to: 10 * Self.second, by: 1_000_000) {
            if let flight = underWay, flight.ends <= now {
                board.finish(flight.number, result: .stands, now: now)
                underWay = nil
            }
            if case .begin(let number) = board.decide(rejectedAt: now, mayBeGood: false, now: now) {
                begun += 1
                underWay = (number, now + 5_000_000)
            }
        }
        // One answer serves for a second.
        #expect(begun == 10)
    }

    // MARK: The rate

    @Test func tenASecondAndNoMore() {
        var board = ConfirmationBoard()
        var starts: [Int64] = []
        // Good tokens without end, each after the request before it: the worst that there is.
        for now in stride(from: Int64(0), to: 5 * Self.second, by: 10_000_000) {
            if case .begin(let number) = board.decide(rejectedAt: now, mayBeGood: true, now: now) {
                starts.append(now)
                board.finish(number, result: .stands, now: now + 1)
            }
        }
        #expect(starts.count == 50)
        for (index, start) in starts.enumerated().dropFirst(10) { #expect(start - starts[index - 10] >= Self.second) }
    }

    @Test func beyondTheRateAnAnswerUpToASecondOldServes() {
        for result in [ConfirmationResult.stands, .outage(503)] {
            var board = Self.exhausted(at: 0, result)
            let decision = board.decide(rejectedAt: 500, mayBeGood: true, now: Self.second - 1)
            #expect(decision == .use(result))
            // A second after the first of them another may begin.
            let next = board.decide(rejectedAt: 500, mayBeGood: true, now: Self.second)
            #expect(Self.isBegin(next))
        }
    }

    @Test func beyondTheRateAndWithoutAnAnswerOneWaitsForTheLastRequest() {
        var board = ConfirmationBoard()
        var last: UInt64?
        for now in 0..<10 as Range<Int64> {
            if case .begin(let number) = board.decide(rejectedAt: now, mayBeGood: true, now: now) { last = number }
        }
        let decision = board.decide(rejectedAt: 500, mayBeGood: true, now: 600)
        #expect(decision == last.map { .join($0) })
    }

    /// Others were given up, or got no answer: that says nothing about this "no".
    @Test(arguments: [true, false])
    func beyondTheRateWithNothingToRelyOnOneWaitsForTheNextRequest(_ mayBeGood: Bool) {
        var board = Self.exhausted(at: 0, nil)
        let decision = board.decide(rejectedAt: 5, mayBeGood: mayBeGood, now: 5)
        #expect(decision == .wait(until: Self.second))
        let next = board.decide(rejectedAt: 5, mayBeGood: mayBeGood, now: Self.second)
        #expect(Self.isBegin(next))
    }

    @Test func endingWhatNobodyBeganChangesNothing() {
        var board = ConfirmationBoard()
        board.finish(17, result: nil, now: 0)
        let decision = board.decide(rejectedAt: 0, mayBeGood: false, now: 0)
        #expect(Self.isBegin(decision))
    }

    // MARK: Random callers

    private struct Caller {
        let rejectedAt: Int64
        let mayBeGood: Bool
        var decisions = 0
    }

    private struct Flight {
        let beganAt: Int64
        let endsAt: Int64
        let result: ConfirmationResult?
        var waiting: [Caller] = []
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func randomCallersAreServedAsTheDesignSays(_ seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        var board = ConfirmationBoard()
        var flights: [UInt64: Flight] = [:]
        var starts: [Int64] = []
        var answers: [(at: Int64, result: ConfirmationResult)] = []
        var now: Int64 = 0
        var callers = 0
        var ended = 0
        var seen = (begun: 0, joined: 0, used: 0, beyondRate: 0, again: 0, waited: 0)

        func startsOfTheLastSecond() -> Int { starts.suffix(12).filter { now - $0 < Self.second }.count }

        /// Asks the board; whoever waits is put down with the request.
        func serve(_ given: Caller) throws {
            var caller = given
            caller.decisions += 1
            // Whoever waits for requests that are given up again and again has an end as well: these are few a second.
            if caller.decisions > 1 { seen.again += 1 }
            let mayBegin = startsOfTheLastSecond() < 10
            let recent = answers.last.flatMap { now - $0.at <= Self.second ? $0.result : nil }
            let decision = board.decide(rejectedAt: caller.rejectedAt, mayBeGood: caller.mayBeGood, now: now)
            let place = "seed \(seed), \(now): \(caller) \(decision)"
            if !mayBegin { seen.beyondRate += 1 }
            switch decision {
            case .begin(let number):
                try #require(mayBegin, "more than ten a second: \(place)")
                try #require(flights[number] == nil, "a number twice: \(place)")
                if caller.mayBeGood {
                    let shared = flights.values.contains { $0.beganAt >= caller.rejectedAt }
                    try #require(!shared, "there was one to share: \(place)")
                } else {
                    try #require(recent == nil && flights.isEmpty, "garbage began a request: \(place)")
                }
                starts.append(now)
                let result: ConfirmationResult? =
                    dice.chance(10) ? nil : [.stands, .outage(500), .outage(0), .notShown(403)][dice.below(4)]
                flights[number] = Flight(
                    beganAt: now, endsAt: now + Int64(dice.below(dice.chance(20) ? 3_000_000_000 : 300_000_000)),
                    result: result)
                seen.begun += 1
            // Its own caller ends with it, whatever comes of it.
            case .join(let number):
                var flight = try #require(flights[number], "nobody will end that: \(place)")
                if caller.mayBeGood, mayBegin {
                    try #require(flight.beganAt >= caller.rejectedAt, "began before the no: \(place)")
                }
                flight.waiting.append(caller)
                flights[number] = flight
                seen.joined += 1
                return
            case .use(let result):
                try #require(!caller.mayBeGood || !mayBegin, "an older answer for a good token: \(place)")
                try #require(result == recent, "\(place)")
                seen.used += 1
            case .wait(let moment):
                // Only where nothing may begin and nothing is under way; and not for long.
                try #require(recent == nil && !mayBegin && flights.isEmpty, "\(place)")
                try #require(moment > now && moment <= now + Self.second, "\(place)")
                seen.waited += 1
            }
            ended += 1
        }

        func endFlights(upTo moment: Int64) throws {
            while let (number, flight) = flights.min(by: { ($0.value.endsAt, $0.key) < ($1.value.endsAt, $1.key) }),
                flight.endsAt <= moment
            {
                now = max(now, flight.endsAt)
                flights[number] = nil
                board.finish(number, result: flight.result, now: now)
                if let result = flight.result { answers.append((now, result)) }
                for caller in flight.waiting {
                    if flight.result != nil { ended += 1 } else { try serve(caller) }
                }
            }
        }

        for step in 0..<8_000 {
            // Quiet and busy times.
            let next = now + Int64(dice.below(step / 400 % 2 == 0 ? 400_000_000 : 20_000_000))
            try endFlights(upTo: next)
            now = next
            callers += 1
            try serve(Caller(rejectedAt: now - Int64(dice.below(60_000_000)), mayBeGood: dice.chance(60)))
        }
        // Nobody comes any more: everyone who waits gets an end.
        var patience = 10_000
        while !flights.isEmpty, patience > 0 {
            patience -= 1
            try endFlights(upTo: flights.values.map(\.endsAt).min() ?? now)
        }
        #expect(ended == callers)
        for (index, start) in starts.enumerated().dropFirst(10) {
            try #require(start - starts[index - 10] >= Self.second)
        }
        #expect(seen.begun > 100 && seen.joined > 100 && seen.used > 100 && seen.beyondRate > 100 && seen.again > 3)
    }
}
