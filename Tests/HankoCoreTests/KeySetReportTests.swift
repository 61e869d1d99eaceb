import HankoCore
import Testing

/// What one request for the key set came to.
@Suite struct KeySetReportTests {
    private static func report(_ end: ExchangeEnd, kept: Bool = true, bound: Bool = true) -> KeySetReport {
        var use = ConnectionUse()
        use.isKept = kept
        use.isBound = bound
        use.requestID = ReaderOutcome.id
        return KeySetReport(end, use)
    }

    private static var ends: [ExchangeEnd] {
        Ends.failures.map { .failure($0) } + (100...999).map { Ends.answer($0) }
    }

    @Test func theAnswerIsThatOfTheEnd() {
        for end in Self.ends {
            let report = Self.report(end)
            #expect(report.answer == KeySetAnswer(end))
            #expect(report.requestID == ReaderOutcome.id)
        }
    }

    @Test func onlyAKeptConnectionIsDead() {
        for end in Self.ends {
            #expect(Self.report(end).foundDeadConnection == ExchangeMeaning.of(end).isDeadIfKept)
            #expect(!Self.report(end, kept: false).foundDeadConnection)
        }
    }

    /// Only what would let a "no" stand needs the id: the others confirm nothing, or are a gateway's own.
    @Test func withoutItsIdNothingIsConfirmed() {
        for end in Self.ends {
            #expect(!Self.report(end).isUnbound)
            let confirms = KeySetAnswer(end) == .result(.stands)
            #expect(Self.report(end, bound: false).isUnbound == confirms)
        }
        #expect(!Self.report(Ends.answer(200) { $0.age = 5 }, bound: false).isUnbound)
    }

    @Test func withoutAConnectionThereIsNothingButTheFailure() {
        for failure in Ends.failures {
            let report = KeySetReport(notAsked: failure)
            #expect(report.answer == KeySetAnswer(notAsked: failure))
            #expect(!report.foundDeadConnection && !report.isUnbound)
            #expect(report.requestID == nil)
        }
    }
}
