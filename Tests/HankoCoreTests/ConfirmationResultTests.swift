@testable import HankoCore
import Testing

/// What the answer to the request for the key set says about a "no".
@Suite struct ConfirmationResultTests {
    @Test func everyStatusHasItsRow() {
        for status in 100...999 {
            let expected: ConfirmationResult
            switch status {
            case 200...299: expected = .stands
            case 401, 403, 404, 405, 410: expected = .hidden(status)
            case 408, 425, 429, 500...599: expected = .outage(status)
            default: expected = .notShown(status)
            }
            #expect(ConfirmationResult(Ends.answer(status)) == expected, "\(status)")
        }
    }

    @Test func aNoStandsOnlyWithA2xxOrWhereTheKeySetIsHidden() {
        let hiding = [401, 403, 404, 405, 410]
        for status in 100...999 {
            let stands = ConfirmationResult(Ends.answer(status)).reason == .rejected
            #expect(stands == (status / 100 == 2 || hiding.contains(status)), "\(status)")
        }
    }

    @Test(arguments: [1, 2, 3_600, Int64.max] as [Int64])
    func whatACacheKeptSaysNothing(_ age: Int64) {
        for status in [200, 204, 299] {
            let result = ConfirmationResult(Ends.answer(status) { $0.age = age })
            #expect(result == .cached)
            #expect(result.reason.status == .unavailable)
        }
    }

    @Test func anAgeOfZeroIsFresh() {
        #expect(ConfirmationResult(Ends.answer(200) { $0.age = 0 }) == .stands)
    }

    @Test func theAgeOfAFailureDoesNotMatter() {
        for age in [0, 5] as [Int64] {
            #expect(ConfirmationResult(Ends.answer(500) { $0.age = age }) == .outage(500))
            #expect(ConfirmationResult(Ends.answer(404) { $0.age = age }) == .hidden(404))
        }
    }

    @Test func withoutAnAnswerItMayBeAnOutage() {
        for failure in Ends.failures {
            #expect(ConfirmationResult(.failure(failure)) == .outage(0), "\(failure)")
        }
        for status in [200, 404, 500] {
            #expect(ConfirmationResult(Ends.answer(status) { $0.headTooLarge = true }) == .outage(0))
        }
    }

    @Test func theBodyOfTheKeySetIsNotLookedAt() {
        for body in ["", "{}", "<html>", #"{"keys":[]}"#] {
            withBytes(of: body) { body in
                let end = Ends.answer(200) {
                    $0.body = body
                    $0.bodyTooLarge = true
                }
                #expect(ConfirmationResult(end) == .stands)
            }
        }
    }

    @Test func eachResultIsAReasonOfItsOwn() {
        #expect(ConfirmationResult.stands.reason == .rejected)
        #expect(ConfirmationResult.outage(500).reason == .notConfirmed(500))
        #expect(ConfirmationResult.outage(0).reason == .notConfirmed(0))
        #expect(ConfirmationResult.cached.reason == .keySetCached)
        #expect(ConfirmationResult.hidden(403).reason == .rejected)
        #expect(ConfirmationResult.notShown(407).reason == .keySetNotShown(407))
        #expect(ConfirmationResult.outage(500).reason.status == .unavailable)
        #expect(ConfirmationResult.outage(0).reason.status == .unavailable)
        #expect(ConfirmationResult.cached.reason.status == .unavailable)
        #expect(ConfirmationResult.notShown(407).reason.status == .misconfigured)
    }
}
