@testable import HankoCore
import Testing

/// Which reason a rejected token gets by what the key set says.
@Suite struct ConfirmationResultTests {
    @Test func eachResultIsAReasonOfItsOwn() {
        #expect(ConfirmationResult.stands.reason == .rejected)
        #expect(ConfirmationResult.outage(500).reason == .notConfirmed(500))
        #expect(ConfirmationResult.outage(0).reason == .notConfirmed(0))
        #expect(ConfirmationResult.cached.reason == .keySetCached)
        #expect(ConfirmationResult.hidden(403).reason == .rejected)
        #expect(ConfirmationResult.notShown(407).reason == .keySetNotShown(407))
    }

    @Test func onlyTwoOfThemAreANo() {
        #expect(ConfirmationResult.stands.reason.status == .invalidToken)
        #expect(ConfirmationResult.hidden(401).reason.status == .invalidToken)
        #expect(ConfirmationResult.outage(500).reason.status == .unavailable)
        #expect(ConfirmationResult.outage(0).reason.status == .unavailable)
        #expect(ConfirmationResult.cached.reason.status == .unavailable)
        #expect(ConfirmationResult.notShown(407).reason.status == .misconfigured)
    }

    @Test func noneMakesAYes() {
        for code in [0, 200, 204, 404, 500, 999] {
            for result in [ConfirmationResult.stands, .outage(code), .cached, .hidden(code), .notShown(code)] {
                #expect(result.reason.status != .ok)
            }
        }
    }
}
