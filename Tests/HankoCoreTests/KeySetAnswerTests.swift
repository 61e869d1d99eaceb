@testable import HankoCore
import Testing

/// What the answer to the request for the key set says about a "no".
@Suite struct KeySetAnswerTests {
    @Test func everyStatusHasItsRow() {
        for status in 100...999 {
            let expected: ConfirmationResult
            switch status {
            case 200...299: expected = .stands
            case 401, 403, 404, 405, 410: expected = .hidden(status)
            case 408, 425, 429, 500...599: expected = .outage(status)
            default: expected = .notShown(status)
            }
            #expect(KeySetAnswer(Ends.answer(status)) == .result(expected), "\(status)")
        }
    }

    @Test func aNoStandsOnlyWithA2xxOrWhereTheKeySetIsHidden() {
        let hiding = [401, 403, 404, 405, 410]
        for status in 100...999 {
            let stands = KeySetAnswer(Ends.answer(status)).shared?.reason == .rejected
            #expect(stands == (status / 100 == 2 || hiding.contains(status)), "\(status)")
        }
    }

    @Test(arguments: [1, 2, 3_600, Int64.max] as [Int64])
    func whatACacheKeptSaysNothing(_ age: Int64) {
        for status in [200, 204, 299] {
            #expect(KeySetAnswer(Ends.answer(status) { $0.age = age }) == .result(.cached))
        }
    }

    @Test func anAgeOfZeroIsFresh() {
        #expect(KeySetAnswer(Ends.answer(200) { $0.age = 0 }) == .result(.stands))
    }

    @Test func theAgeOfAFailureDoesNotMatter() {
        for age in [0, 5] as [Int64] {
            #expect(KeySetAnswer(Ends.answer(500) { $0.age = age }) == .result(.outage(500)))
            #expect(KeySetAnswer(Ends.answer(404) { $0.age = age }) == .result(.hidden(404)))
        }
    }

    @Test func anAnswerThatIsNobodysConfirmsNothing() {
        for status in 100...999 {
            for (early, tooLarge) in [(true, false), (false, true), (true, true)] {
                let end = Ends.answer(status) {
                    $0.isEarly = early
                    $0.headTooLarge = tooLarge
                }
                #expect(KeySetAnswer(end) == .result(.outage(0)), "\(status)")
            }
            #expect(KeySetAnswer(Ends.answer(status) { $0.hasBrokenLength = true }) == .result(.outage(0)), "\(status)")
        }
    }

    @Test func withoutAnAnswerItMayBeAnOutageUnlessThatSaysNothing() {
        for failure in Ends.failures {
            let expected: KeySetAnswer
            switch failure {
            case .deadline: expected = .late
            case .resolve, .connect, .connectTimeout, .proxy, .proxyRefused, .certificate, .tls, .connectionReset,
                .connectionLost, .emptyReply, .bodyCutShort:
                expected = .result(.outage(0))
            default: expected = .failed(failure)
            }
            #expect(KeySetAnswer(.failure(failure)) == expected, "\(failure)")
        }
    }

    /// A failure that lies here is no outage of Hanko, not even for those who wait for the same request.
    @Test func withoutAConnectionNothingIsLearntOfHanko() {
        for failure in Ends.failures {
            let answer = KeySetAnswer(notAsked: failure)
            #expect(answer == (failure == .deadline ? .late : .failed(failure)), "\(failure)")
            #expect(answer.shared == nil, "\(failure)")
        }
    }

    @Test func othersGetResultsAndNothingElse() {
        for result in [ConfirmationResult.stands, .outage(0), .outage(503), .cached, .hidden(403), .notShown(302)] {
            #expect(KeySetAnswer.result(result).shared == result)
        }
        #expect(KeySetAnswer.late.shared == nil)
        #expect(KeySetAnswer.failed(.localShortage).shared == nil)
    }

    @Test func theBodyOfTheKeySetIsNotLookedAt() {
        for body in ["", "{}", "<html>", #"{"keys":[]}"#] {
            withBytes(of: body) { body in
                let end = Ends.answer(200) {
                    $0.body = body
                    $0.bodyTooLarge = true
                }
                #expect(KeySetAnswer(end) == .result(.stands))
            }
        }
    }
}
