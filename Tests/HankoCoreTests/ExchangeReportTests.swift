@testable import HankoCore
import Testing

/// What one exchange about a token came to.
@Suite struct ExchangeReportTests {
    private static func report(
        _ end: ExchangeEnd, _ reason: VerdictReason = .noVerdict, kept: Bool = true, bound: Bool = true,
        now: Int64 = Judge.now
    ) -> ExchangeReport {
        var use = ConnectionUse()
        use.isKept = kept
        use.isBound = bound
        return ExchangeReport(end, Judgement(reason), use, retry: 0, now: now, random: 0)
    }

    // MARK: Dead connections

    @Test func aFreshConnectionIsNeverDead() {
        for failure in Ends.failures {
            #expect(!Self.report(.failure(failure), kept: false).foundDeadConnection, "\(failure)")
        }
        for status in 100...999 {
            #expect(!Self.report(Ends.answer(status), kept: false).foundDeadConnection, "\(status)")
        }
    }

    @Test func aKeptOneIsDeadAsTheTableSays() {
        for failure in Ends.failures {
            let isDead = ExchangeMeaning.of(failure).isDeadIfKept
            #expect(Self.report(.failure(failure)).foundDeadConnection == isDead, "\(failure)")
        }
        for status in 100...999 {
            #expect(Self.report(Ends.answer(status)).foundDeadConnection == (status == 408), "\(status)")
        }
    }

    @Test func aTimeoutIsNoDeadConnection() {
        #expect(!Self.report(.failure(.deadline)).foundDeadConnection)
        #expect(!Self.report(.failure(.connectTimeout)).foundDeadConnection)
    }

    // MARK: Answers that are nobody's

    @Test func anAnswerWithItsIdIsNeverNobodys() {
        for status in 100...999 { #expect(!Self.report(Ends.answer(status), .accepted).isUnbound, "\(status)") }
    }

    @Test func withoutItsIdA200IsNobodysWhateverItSays() {
        let reasons: [VerdictReason] = [
            .accepted, .rejected, .audienceMismatch, .notJSON(position: 0), .noVerdict, .bodyTooLarge, .brokenLength,
            .encodedBody, .otherToken, .clockOff(seconds: 90), .headTooLarge,
        ]
        for reason in reasons { #expect(Self.report(Ends.answer(200), reason, bound: false).isUnbound, "\(reason)") }
    }

    @Test func withoutItsIdWhateverWouldBeAYesOrANoIsNobodys() {
        for status in 100...999 {
            for reason in [VerdictReason.claimsUnreadable, .tokenRefusedForLength(status), .rejected, .accepted] {
                #expect(Self.report(Ends.answer(status), reason, bound: false).isUnbound, "\(status) \(reason)")
            }
        }
    }

    @Test func whatAGatewaySaysOfItselfStandsWithoutAnId() {
        for status in 100...999 where status != 200 {
            for reason in [
                VerdictReason.serverFailed(status), .wrongAddress(status), .unexpectedStatus(status), .headTooLarge,
            ] {
                #expect(!Self.report(Ends.answer(status), reason, bound: false).isUnbound, "\(status) \(reason)")
            }
        }
    }

    @Test func aFailureIsNoAnswerOfAnybody() {
        for failure in Ends.failures {
            #expect(!Self.report(.failure(failure), .transport(failure), bound: false).isUnbound, "\(failure)")
        }
    }

    // MARK: The rest

    @Test func healthAndPauseAreThoseOfTheTable() {
        for end in Ends.failures.map({ .failure($0) }) + (100...999).map({ Ends.answer($0) }) {
            let report = Self.report(end)
            #expect(report.health == ExchangeMeaning.of(end).health)
            #expect(report.retryPause == RetryPolicy.pause(after: end, retry: 0, now: Judge.now, random: 0))
        }
    }

    @Test(arguments: [(-61, 61), (-60, nil), (0, nil), (60, nil), (61, -61)] as [(Int64, Int64?)])
    func clocksDifferFromAMinuteOn(_ ahead: Int64, _ offset: Int64?) {
        let end = Ends.answer(200) { $0.date = Judge.now + ahead }
        #expect(Self.report(end).clockOffset == offset)
        #expect(Self.report(Ends.answer(200)).clockOffset == nil)
        #expect(Self.report(.failure(.connect)).clockOffset == nil)
    }

    @Test func itKeepsWhatItIsGiven() {
        var use = ConnectionUse()
        use.requestID = ReaderOutcome.id
        let report = ExchangeReport(
            Ends.answer(503), Judgement(.serverFailed(503)), use, retry: 0, now: Judge.now, random: 0)
        #expect(report.reason == .serverFailed(503))
        #expect(report.requestID == ReaderOutcome.id)
        #expect(report.session == nil)
        #expect(Self.report(Ends.answer(503)).requestID == nil)
    }
}
