@testable import HankoCore
import Testing

@Suite struct StartupCheckTests {
    @Test func onlyARejectionLeadsToTheKeySet() {
        #expect(StartupCheck.end(after: .rejected, clockOffset: nil) == nil)
        for reason in [VerdictReason.wrongAddress(404), .serverFailed(503), .transport(.deadline), .noVerdict] {
            #expect(StartupCheck.end(after: reason, clockOffset: nil) == reason)
        }
    }

    @Test func aYesToThatTokenMeansThatEveryTokenIsAccepted() {
        let yeses: [VerdictReason] = [
            .accepted, .expired(secondsAgo: 100), .userUnusable, .textUnusable, .expiryUnreadable, .audienceMismatch,
            .audienceUnknown,
        ]
        for reason in yeses {
            #expect(StartupCheck.end(after: reason, clockOffset: nil) == .acceptsAnything)
        }
    }

    /// The test's own token is nobody's, so that no answer to it may log somebody out.
    @Test func itNeverEndsAsANo() {
        #expect(StartupCheck.end(after: .claimsUnreadable, clockOffset: nil) == .wrongAddress(400))
        #expect(StartupCheck.end(after: .tokenRefusedForLength(413), clockOffset: nil) == .wrongAddress(413))
        let noes: [VerdictReason] = [
            .rejected, .claimsUnreadable, .audienceMismatch, .audienceUnknown, .tokenRefusedForLength(414),
            .tokenRefusedForLength(431),
        ]
        for reason in noes {
            #expect(StartupCheck.end(after: reason, clockOffset: nil)?.status != .invalidToken)
        }
    }

    @Test func aWrongClockIsNamed() {
        #expect(StartupCheck.end(after: .rejected, clockOffset: 90) == .clockOff(seconds: 90))
        #expect(StartupCheck.end(after: .rejected, clockOffset: -90) == .clockOff(seconds: -90))
    }

    @Test func aKeySetThatFailsIsAnOutage() {
        for confirms in [true, false] {
            #expect(StartupCheck.end(after: .stands, confirmsRejections: confirms) == .accepted)
            #expect(StartupCheck.end(after: .hidden(403), confirmsRejections: confirms) == .accepted)
            #expect(StartupCheck.end(after: .outage(500), confirmsRejections: confirms) == .notConfirmed(500))
            #expect(StartupCheck.end(after: .outage(0), confirmsRejections: confirms) == .notConfirmed(0))
        }
    }

    @Test func whatOnlyConfirmingNeedsMattersOnlyThere() {
        #expect(StartupCheck.end(after: .cached, confirmsRejections: false) == .accepted)
        #expect(StartupCheck.end(after: .cached, confirmsRejections: true) == .keySetCached)
        #expect(StartupCheck.end(after: .notShown(407), confirmsRejections: false) == .accepted)
        #expect(StartupCheck.end(after: .notShown(407), confirmsRejections: true) == .keySetNotShown(407))
    }
}
