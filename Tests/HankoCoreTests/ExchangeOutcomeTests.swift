import HankoCore
import Testing

/// What counts for the circuit breaker: the design's sentence "A failure is", word by word.
@Suite struct ExchangeOutcomeTests {
    @Test(arguments: [true, false])
    func everyStatusCountsOneWayWhateverTheTime(_ hadTime: Bool) {
        for status in 100...999 {
            let isFailure = [408, 425, 429].contains(status) || status / 100 == 5
            #expect(ExchangeOutcome(Ends.answer(status), hadTime: hadTime) == (isFailure ? .failure : .success))
        }
    }

    @Test func theVerdictOnTheTokenDoesNotMatter() {
        for body in [#"{"is_valid":true}"#, #"{"is_valid":false}"#, "", "<html>"] {
            for status in [200, 400, 403, 413] {
                withBytes(of: body) { body in
                    #expect(ExchangeOutcome(Ends.answer(status) { $0.body = body }, hadTime: true) == .success)
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func everyFailureCountsAsTheDesignSays(_ hadTime: Bool) {
        for failure in Ends.failures {
            let expected: ExchangeOutcome
            switch failure {
            // No connection, TLS, reset; a server that breaks off within its answer resets it.
            case .resolve, .connect, .connectTimeout, .proxy, .certificate, .tls, .connectionLost, .emptyReply,
                .bodyCutShort:
                expected = .failure
            case .deadline:
                expected = hadTime ? .failure : .nothing
            // It did not get that far, or it is this machine's own.
            case .certificateFile, .localShortage, .processExits, .breakerOpen, .tooManyWaiting, .queueFull,
                .unusableLibrary, .other, .unaskedBytes:
                expected = .nothing
            // No complete answer of anybody, and no failure that the design names.
            case .notHTTP:
                expected = .nothing
            }
            #expect(ExchangeOutcome(.failure(failure), hadTime: hadTime) == expected, "\(failure)")
        }
    }

    @Test func aDeadlineCountsOnlyWhereTheServerHadTime() {
        #expect(ExchangeOutcome(.failure(.deadline), hadTime: true) == .failure)
        #expect(ExchangeOutcome(.failure(.deadline), hadTime: false) == .nothing)
    }

    /// Ten odd tokens that a firewall answers with 403 must not lock everybody out.
    @Test(arguments: [200, 301, 400, 401, 403, 404, 413, 431])
    func nobodyWhoControlsTokensCanOpenTheBreaker(_ status: Int) {
        var breaker = CircuitBreaker()
        for _ in 0..<100 {
            guard let permit = breaker.admit(at: 0) else { break }
            breaker.settle(permit, ExchangeOutcome(Ends.answer(status), hadTime: true), at: 0)
        }
        #expect(breaker.wouldAdmit(at: 0))
        #expect(breaker.openedCount == 0)
    }
}
