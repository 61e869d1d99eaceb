import HankoCore
import Testing

@Suite struct ValidationAttemptTests {
    private static func answer(_ status: Int) -> ExchangeEnd {
        var answer = Answer()
        answer.status = status
        return .answer(answer)
    }

    private static func step(
        _ end: ExchangeEnd, usedKeptConnection: Bool = true, answerBegan: Bool = false
    ) -> ValidationAttempt.Step {
        var attempt = ValidationAttempt()
        return attempt.step(after: end, usedKeptConnection: usedKeptConnection, answerBegan: answerBegan)
    }

    private static let deadConnection: [TransportFailure] = [.connectionLost, .emptyReply, .unaskedBytes, .tls]

    @Test func aKeptConnectionThatDiesBeforeTheAnswerIsReplaced() {
        for failure in Self.deadConnection {
            #expect(Self.step(.failure(failure)) == .replaceConnection, "\(failure)")
        }
        #expect(Self.step(Self.answer(408), answerBegan: true) == .replaceConnection)
    }

    @Test func aFreshConnectionIsNotReplaced() {
        for (failure, _) in TransportFailure.samples {
            #expect(Self.step(.failure(failure), usedKeptConnection: false) == .judge, "\(failure)")
        }
        #expect(Self.step(Self.answer(408), usedKeptConnection: false, answerBegan: true) == .judge)
    }

    @Test func onceTheAnswerHasBegunHankoMayHaveAnswered() {
        for failure in [TransportFailure.connectionLost, .emptyReply, .tls, .bodyCutShort] {
            #expect(Self.step(.failure(failure), answerBegan: true) == .judge, "\(failure)")
        }
    }

    @Test func everyOtherEndIsJudged() {
        for (failure, _) in TransportFailure.samples
        where !Self.deadConnection.contains(failure) && failure != .bodyCutShort {
            #expect(Self.step(.failure(failure)) == .judge, "\(failure)")
            #expect(Self.step(.failure(failure), answerBegan: true) == .judge, "\(failure)")
        }
        for status in 0...999 where status != 408 {
            #expect(Self.step(Self.answer(status), answerBegan: true) == .judge, "\(status)")
        }
    }

    @Test func aCallReplacesItsConnectionOnce() {
        for first in Self.deadConnection {
            for second in Self.deadConnection {
                var attempt = ValidationAttempt()
                let steps = [
                    attempt.step(after: .failure(first), usedKeptConnection: true, answerBegan: false),
                    attempt.step(after: .failure(second), usedKeptConnection: true, answerBegan: false),
                    attempt.step(after: Self.answer(408), usedKeptConnection: true, answerBegan: true),
                ]
                #expect(steps == [.replaceConnection, .judge, .judge])
            }
        }
    }

    @Test func judgingTakesNothingFromTheOneReplacement() {
        var attempt = ValidationAttempt()
        let steps = [
            attempt.step(after: .failure(.connect), usedKeptConnection: false, answerBegan: false),
            attempt.step(after: .failure(.connectionLost), usedKeptConnection: true, answerBegan: false),
        ]
        #expect(steps == [.judge, .replaceConnection])
    }
}
