import HankoCore
import Testing

/// When a kept connection is replaced at once, without that being a retry.
@Suite struct ExchangeReportTests {
    private static func isDead(_ end: ExchangeEnd, kept: Bool = true, answerBegan: Bool = false) -> Bool {
        ExchangeReport.isDeadConnection(end, usedKeptConnection: kept, answerBegan: answerBegan)
    }

    @Test func aFreshConnectionIsNeverDead() {
        for answerBegan in [false, true] {
            for failure in Ends.failures {
                #expect(!Self.isDead(.failure(failure), kept: false, answerBegan: answerBegan), "\(failure)")
            }
            for status in 100...999 {
                #expect(!Self.isDead(Ends.answer(status), kept: false, answerBegan: answerBegan), "\(status)")
            }
        }
    }

    @Test func aKeptOneIsDeadWhenItDiesBeforeTheFirstByte() {
        for failure in Ends.failures {
            let isDead: Bool
            switch failure {
            case .connectionLost, .emptyReply, .tls, .bodyCutShort, .unaskedBytes: isDead = true
            default: isDead = false
            }
            #expect(Self.isDead(.failure(failure)) == isDead, "\(failure)")
        }
    }

    @Test func onceAnAnswerHasBegunHankoMayHaveAnswered() {
        for failure in Ends.failures where failure != .unaskedBytes {
            #expect(!Self.isDead(.failure(failure), answerBegan: true), "\(failure)")
        }
        // Nothing was sent on it, so whatever began was no answer to us.
        #expect(Self.isDead(.failure(.unaskedBytes), answerBegan: true))
    }

    @Test func aTimeoutIsNoDeadConnection() {
        #expect(!Self.isDead(.failure(.deadline)))
        #expect(!Self.isDead(.failure(.connectTimeout)))
    }

    @Test func ofTheAnswersOnly408SaysSo() {
        for answerBegan in [false, true] {
            for status in 100...999 {
                #expect(Self.isDead(Ends.answer(status), answerBegan: answerBegan) == (status == 408), "\(status)")
            }
        }
    }

    @Test func itKeepsWhatItIsGiven() {
        let report = ExchangeReport(
            reason: .serverFailed(503), retry: .after(nanoseconds: 7), foundDeadConnection: true)
        #expect(report.reason == .serverFailed(503))
        #expect(report.retry == .after(nanoseconds: 7))
        #expect(report.foundDeadConnection)
    }
}
