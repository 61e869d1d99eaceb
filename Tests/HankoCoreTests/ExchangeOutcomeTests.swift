import HankoCore
import Testing

/// What counts for the circuit breaker: the design's sentence "A failure is", word by word.
@Suite struct ExchangeOutcomeTests {
    private static func outcome(_ end: ExchangeEnd, hadTime: Bool) -> ExchangeOutcome {
        ExchangeOutcome(ExchangeMeaning.of(end).health, hadTime: hadTime)
    }

    @Test(arguments: [true, false])
    func everyStatusCountsOneWayWhateverTheTime(_ hadTime: Bool) {
        for status in 100...999 {
            let isFailure = [408, 425, 429].contains(status) || status / 100 == 5
            let outcome = Self.outcome(Ends.answer(status), hadTime: hadTime)
            #expect(outcome == (isFailure ? .failure : .success), "\(status)")
        }
    }

    @Test func theVerdictOnTheTokenDoesNotMatter() {
        for body in [#"{"is_valid":true}"#, #"{"is_valid":false}"#, "", "<html>"] {
            for status in [200, 400, 403, 413] {
                withBytes(of: body) { body in
                    #expect(Self.outcome(Ends.answer(status) { $0.body = body }, hadTime: true) == .success)
                }
            }
        }
    }

    @Test func aDeadlineCountsOnlyWhereTheServerHadTime() {
        #expect(Self.outcome(.failure(.deadline), hadTime: true) == .failure)
        #expect(Self.outcome(.failure(.deadline), hadTime: false) == .nothing)
        for failure in Ends.failures where failure != .deadline {
            let late = Self.outcome(.failure(failure), hadTime: false)
            #expect(Self.outcome(.failure(failure), hadTime: true) == late, "\(failure)")
        }
    }

    /// Ten odd tokens that a firewall answers with 403 must not lock everybody out.
    @Test(arguments: [200, 301, 400, 401, 403, 404, 413, 431])
    func nobodyWhoControlsTokensCanOpenTheBreaker(_ status: Int) {
        var breaker = CircuitBreaker()
        for _ in 0..<100 {
            guard let permit = breaker.admit(at: 0) else { break }
            breaker.settle(permit, Self.outcome(Ends.answer(status), hadTime: true), at: 0)
        }
        #expect(breaker.wouldAdmit(at: 0))
        #expect(breaker.openedCount == 0)
    }
}
