@testable import HankoCore
import Testing

/// The course of a call, one event after the other. The books on turn, permit and flight are kept by `CallCourse`.
@Suite struct CallProgressTests {
    private typealias Next = CallStep.Next

    private static let second: Int64 = 1_000_000_000

    /// The end of an exchange whose verdict is `reason`; what the end itself says is of matter only where it is given.
    private static func report(
        _ reason: VerdictReason, _ end: ExchangeEnd = Ends.answer(200), kept: Bool = false, bound: Bool = true,
        id: RequestID? = nil
    ) -> ExchangeReport {
        var use = ConnectionUse()
        use.isKept = kept
        use.isBound = bound
        use.requestID = id
        return ExchangeReport(end, Judgement(reason), use, retry: 0, now: Judge.now, random: 0)
    }

    /// One that may be sent again after so many seconds.
    private static func retried(_ reason: VerdictReason, after seconds: Int64) -> ExchangeReport {
        report(reason, Ends.answer(503) { $0.retryAfter = .delay(seconds) })
    }

    /// One on a kept connection that was dead.
    private static var dead: ExchangeReport {
        report(.transport(.emptyReply), .failure(.emptyReply), kept: true)
    }

    /// A 200 that is nobody's.
    private static func unbound(_ reason: VerdictReason) -> ExchangeReport { report(reason, kept: true, bound: false) }

    private static func send(_ candidate: Int, fresh: Bool = false) -> Next {
        .send(candidate: candidate, overFreshConnection: fresh)
    }

    private static func askForKeySet(fresh: Bool = false) -> Next { .askForKeySet(overFreshConnection: fresh) }

    private static let refusals: [VerdictReason] = [
        .rejected, .claimsUnreadable, .audienceMismatch, .audienceUnknown, .tokenRefusedForLength(413),
    ]

    private static let unjudged: [VerdictReason] = [
        .wrongAddress(403), .wrongAddress(404), .clockOff(seconds: 90), .headTooLarge, .bodyTooLarge, .brokenLength,
        .encodedBody, .unboundAnswer, .notJSON(position: 3), .notObject, .noVerdict, .userUnusable, .textUnusable,
        .otherToken, .expiryUnreadable, .expired(secondsAgo: 61), .unexpectedStatus(204), .transport(.notHTTP),
        .transport(.certificateFile), .transport(.unusableLibrary(4)),
    ]

    private static let ends: [VerdictReason] = [
        .accepted, .serverFailed(503), .serverFailed(429), .transport(.deadline), .transport(.connect),
        .transport(.tls), .transport(.connectionLost), .transport(.breakerOpen), .transport(.tooManyWaiting),
        .transport(.localShortage), .transport(.processExits), .transport(.other(1)), .notConfirmed(500),
    ]

    // MARK: Candidates

    @Test func itBeginsWithATurnForTheFirstCandidate() {
        for candidates in 1...4 {
            var course = CallCourse(candidates: candidates)
            #expect(course.begin() == .takeTurn)
            #expect(course.call.needsPermit && course.call.currentCandidate == 0)
            #expect(course.turnCame() == Self.send(0))
        }
    }

    @Test func afterARefusalTheNextIsTriedWithATurnOfItsOwn() {
        for reason in Self.refusals + Self.unjudged {
            var course = CallCourse(candidates: 3)
            _ = course.begin()
            for candidate in 0..<3 {
                #expect(course.turnCame() == Self.send(candidate), "\(reason)")
                #expect(course.call.currentCandidate == candidate)
                let next = course.ended(Self.report(reason))
                #expect(next == (candidate < 2 ? .takeTurn : .finish(reason)), "\(reason)")
                // Each exchange is settled by itself, and its turn is given back.
                #expect(course.step.settlement?.outcome == .success, "\(reason)")
                #expect(course.step.releasesTurn, "\(reason)")
            }
        }
    }

    @Test func theFirstThatHankoAcceptsWins() {
        for place in 0..<4 {
            var course = CallCourse(candidates: 4)
            _ = course.begin()
            for candidate in 0..<place {
                let next = course.asked(Self.report(candidate % 2 == 0 ? .rejected : .wrongAddress(403)))
                #expect(next == .takeTurn)
            }
            #expect(course.asked(Self.report(.accepted)) == .finish(.accepted))
        }
    }

    @Test func unavailableTimeoutAndCancelledEndTheSearch() {
        for reason in Self.ends {
            var first = CallCourse(candidates: 4)
            _ = first.begin()
            #expect(first.asked(Self.report(reason)) == .finish(reason), "\(reason)")
            // Whatever came before.
            for before in [VerdictReason.rejected, .wrongAddress(403), .noVerdict] {
                var course = CallCourse(candidates: 4)
                _ = course.begin()
                _ = course.asked(Self.report(before))
                #expect(course.asked(Self.report(reason)) == .finish(reason), "\(before) \(reason)")
            }
        }
    }

    @Test func everyOneRefusedIsARefusal() {
        for first in Self.refusals {
            for second in Self.refusals {
                var course = CallCourse(candidates: 2)
                _ = course.begin()
                _ = course.asked(Self.report(first))
                guard case .finish(let reason) = course.asked(Self.report(second)) else {
                    Issue.record("\(course.step.next)")
                    continue
                }
                #expect(reason.status == .invalidToken, "\(first) \(second)")
            }
        }
    }

    @Test func otherwiseTheFirstThatCouldNotBeJudgedCounts() {
        for unjudged in Self.unjudged {
            for place in 0..<3 {
                var course = CallCourse(candidates: 3)
                _ = course.begin()
                for candidate in 0..<3 {
                    let reason: VerdictReason =
                        candidate == place ? unjudged : candidate < place ? .rejected : .wrongAddress(499)
                    _ = course.asked(Self.report(reason))
                }
                #expect(course.step.next == .finish(unjudged), "\(unjudged) \(place)")
            }
        }
    }

    @Test func theLastRequestsIdIsKnown() {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        #expect(course.call.requestID == nil)
        _ = course.asked(Self.report(.rejected, id: ReaderOutcome.id))
        #expect(course.call.requestID == ReaderOutcome.id)
        // One that was not sent leaves that of the one before.
        _ = course.asked(Self.report(.transport(.connect), .failure(.resolve)))
        #expect(course.call.requestID == ReaderOutcome.id)
    }

    // MARK: Turns

    @Test func aBreakerThatHasOpenedMeanwhileEndsTheCall() {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        #expect(course.turnCameInVain() == .finish(.transport(.breakerOpen)))
        #expect(course.step.releasesTurn && course.step.settlement == nil)
    }

    @Test(arguments: [TransportFailure.breakerOpen, .tooManyWaiting, .deadline, .localShortage, .processExits])
    func withoutATurnTheCallEndsWithTheReason(_ failure: TransportFailure) {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        #expect(course.refused(failure) == .finish(.transport(failure)))
        #expect(!course.step.releasesTurn && course.step.settlement == nil)
    }

    @Test func aDeadlineInLineIsATimeout() {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        course.now = 10 * Self.second
        #expect(course.deadlinePassed() == .finish(.transport(.deadline)))
    }

    // MARK: What the breaker learns

    @Test func theBreakerLearnsWhatTheTableSays() {
        for end in Ends.failures.map({ .failure($0) }) + (100...999).map({ Ends.answer($0) }) {
            var course = CallCourse(retries: 0)
            _ = course.begin()
            _ = course.asked(Self.report(.noVerdict, end))
            let expected = ExchangeOutcome(ExchangeMeaning.of(end).health, hadTime: true)
            #expect(course.step.settlement?.outcome == expected)
        }
    }

    /// "a timeout of an exchange that had at least half of `timeout_ms`": of the exchange, and not of the call.
    @Test(arguments: [(0, true), (4_999, true), (5_000, true), (5_001, false), (9_999, false)] as [(Int64, Bool)])
    func aDeadlineCountsWhereTheExchangeHadHalfOfTheTime(_ begunAt: Int64, _ counts: Bool) {
        var course = CallCourse()
        _ = course.begin()
        course.now = begunAt * 1_000_000
        _ = course.turnCame()
        course.now = 10 * Self.second
        #expect(course.ended(Self.report(.transport(.deadline), .failure(.deadline))) == .finish(.transport(.deadline)))
        #expect(course.step.settlement?.outcome == (counts ? .failure : .nothing))
    }

    /// The second exchange of the same turn is measured by itself.
    @Test func aFreshConnectionHasItsOwnTime() {
        var course = CallCourse()
        _ = course.begin()
        _ = course.turnCame()
        course.now = 6 * Self.second
        #expect(course.ended(Self.dead) == Self.send(0, fresh: true))
        course.now = 10 * Self.second
        _ = course.ended(Self.report(.transport(.deadline), .failure(.deadline)))
        #expect(course.step.settlement?.outcome == .nothing)
    }

    // MARK: Retries

    @Test func aRetryRestsWithoutATurnAndSendsTheSameCandidateAgain() {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        _ = course.asked(Self.report(.rejected))
        course.now = Self.second
        #expect(course.asked(Self.retried(.serverFailed(503), after: 7)) == .rest(until: 8 * Self.second))
        #expect(course.step.releasesTurn && course.step.settlement?.outcome == .failure)
        #expect(!course.step.countsRetry)
        #expect(course.call.retryCount == 1)
        course.now = 8 * Self.second
        #expect(course.rested() == .takeTurn)
        #expect(course.turnCame() == Self.send(1))
        #expect(course.step.countsRetry)
        #expect(course.ended(Self.report(.accepted)) == .finish(.accepted))
        #expect(course.ledger.retries == 1)
    }

    /// A retry is counted when its request goes out, and once: not when no turn came for it, and not again for a fresh
    /// connection.
    @Test func onlyARetryThatIsSentIsCounted() {
        var course = CallCourse(retries: 2)
        _ = course.begin()
        _ = course.asked(Self.retried(.serverFailed(503), after: 0))
        _ = course.rested()
        _ = course.turnCame()
        #expect(course.step.countsRetry)
        #expect(course.ended(Self.dead) == Self.send(0, fresh: true))
        #expect(!course.step.countsRetry)
        _ = course.ended(Self.retried(.serverFailed(503), after: 0))
        _ = course.rested()
        #expect(course.turnCameInVain() == .finish(.transport(.breakerOpen)))
        #expect(course.ledger.retries == 1)
    }

    @Test(arguments: [0, 1, 2, 10] as [Int64])
    func retriesAreCountedForTheWholeCall(_ retries: Int64) {
        var course = CallCourse(candidates: 4, retries: retries)
        var rests: Int64 = 0
        // Each candidate fails once in a way that may be retried and is then refused.
        var next = course.begin()
        var hasFailed = false
        for _ in 0..<100 {
            switch next {
            case .rest:
                rests += 1
                #expect(course.call.retryCount == rests)
                next = course.rested()
            case .takeTurn:
                next = course.turnCame()
            case .send:
                // The reason is one that lets the next candidate try, so that only the count ends the retries.
                next = course.ended(hasFailed ? Self.report(.rejected) : Self.retried(.headTooLarge, after: 0))
                if case .rest = next { hasFailed = true } else { hasFailed = false }
            default:
                break
            }
        }
        #expect(rests == min(retries, 4))
        #expect(course.ledger.retries == Int(rests) && course.ledger.isOver)
    }

    @Test func withoutARetryLeftTheReasonCounts() {
        var course = CallCourse(retries: 2)
        _ = course.begin()
        for _ in 0..<2 {
            guard case .rest = course.asked(Self.report(.transport(.connect), .failure(.connect))) else {
                Issue.record("\(course.step.next)")
                return
            }
            _ = course.rested()
        }
        #expect(
            course.asked(Self.report(.transport(.connect), .failure(.connect))) == .finish(.transport(.connect)))
    }

    @Test(
        arguments: [
            (0, 9, true), (0, 10, false), (0, 11, false), (9, 0, true), (10, 0, false), (5, 4, true), (5, 5, false),
            (20, 0, false), (0, 1_000_000, false), (0, .max, false),
        ] as [(Int64, Int64, Bool)])
    func aPauseThatDoesNotFitTheDeadlineEndsTheCallAtOnce(_ now: Int64, _ pause: Int64, _ fits: Bool) {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        course.now = now * Self.second
        let next = course.asked(Self.retried(.serverFailed(503), after: pause))
        #expect(next == (fits ? .rest(until: (now + pause) * Self.second) : .finish(.serverFailed(503))))
        #expect(course.call.retryCount == (fits ? 1 : 0))
    }

    @Test func whatIsNotToBeRetriedIsNot() {
        var course = CallCourse(retries: 10)
        _ = course.begin()
        #expect(course.asked(Self.report(.transport(.deadline), .failure(.deadline))) == .finish(.transport(.deadline)))
        #expect(course.call.retryCount == 0)
    }

    // MARK: Dead connections

    @Test func aDeadConnectionIsReplacedAtOnceAndIsNoRetry() {
        var course = CallCourse(retries: 1)
        _ = course.begin()
        #expect(course.asked(Self.dead) == Self.send(0, fresh: true))
        #expect(!course.step.releasesTurn && course.step.settlement == nil && !course.step.countsRetry)
        #expect(course.call.retryCount == 0)
        // The retry is still there.
        guard case .rest = course.ended(Self.report(.transport(.emptyReply), .failure(.emptyReply))) else {
            Issue.record("\(course.step.next)")
            return
        }
        #expect(course.call.retryCount == 1)
    }

    @Test func withoutRetriesADeadConnectionIsReplacedAsWell() {
        for end in [ExchangeEnd.failure(.unaskedBytes), .failure(.connectionReset), Ends.answer(408)] {
            var course = CallCourse(retries: 0)
            _ = course.begin()
            #expect(course.asked(Self.report(.noVerdict, end, kept: true)) == Self.send(0, fresh: true))
            #expect(course.ended(Self.report(.accepted)) == .finish(.accepted))
        }
    }

    @Test func onlyOnceForEachTurn() {
        var course = CallCourse(candidates: 2, retries: 2)
        _ = course.begin()
        for retry in 0..<3 {
            #expect(course.turnCame() == Self.send(0), "\(retry)")
            #expect(course.ended(Self.dead) == Self.send(0, fresh: true), "\(retry)")
            let next = course.ended(Self.dead)
            guard retry < 2 else {
                #expect(next == .finish(.transport(.emptyReply)))
                break
            }
            guard case .rest = next else {
                Issue.record("\(next)")
                return
            }
            #expect(course.rested() == .takeTurn)
        }
    }

    @Test func theNextCandidateMayReplaceItsConnectionAgain() {
        var course = CallCourse(candidates: 2, retries: 0)
        _ = course.begin()
        #expect(course.asked(Self.dead) == Self.send(0, fresh: true))
        #expect(course.ended(Self.report(.rejected)) == .takeTurn)
        #expect(course.turnCame() == Self.send(1))
        #expect(course.ended(Self.dead) == Self.send(1, fresh: true))
        #expect(course.ended(Self.dead) == .finish(.transport(.emptyReply)))
    }

    // MARK: Answers that are nobody's

    @Test func anAnswerThatIsNobodysIsAskedForOnceMoreAndIsNoRetry() {
        for reason in [VerdictReason.accepted, .rejected, .noVerdict, .claimsUnreadable] {
            var course = CallCourse(retries: 0, confirms: true)
            _ = course.begin()
            #expect(course.asked(Self.unbound(reason)) == Self.send(0, fresh: true), "\(reason)")
            #expect(!course.step.releasesTurn && course.step.settlement == nil && !course.step.countsRetry)
            #expect(course.call.retryCount == 0 && course.call.session == nil)
            #expect(course.ended(Self.report(.accepted)) == .finish(.accepted), "\(reason)")
        }
    }

    @Test func onlyOnceForEachCallAndThenItIsNoAnswer() {
        for reason in [VerdictReason.accepted, .rejected, .noVerdict] {
            var course = CallCourse(candidates: 2, confirms: true)
            _ = course.begin()
            _ = course.asked(Self.unbound(reason))
            #expect(course.ended(Self.unbound(reason)) == .takeTurn, "\(reason)")
            // Whoever mixes answers up says nothing about Hanko's health.
            #expect(course.step.settlement?.outcome == .nothing)
            #expect(course.asked(Self.unbound(reason)) == .finish(.unboundAnswer), "\(reason)")
            #expect(course.step.settlement?.outcome == .nothing)
        }
        #expect(VerdictReason.unboundAnswer.status == .protocolError)
    }

    @Test func aDeadConnectionAndAnAnswerThatIsNobodysAreCountedApart() {
        var course = CallCourse(candidates: 2, retries: 0)
        _ = course.begin()
        #expect(course.asked(Self.dead) == Self.send(0, fresh: true))
        #expect(course.ended(Self.unbound(.accepted)) == Self.send(0, fresh: true))
        #expect(course.ended(Self.unbound(.accepted)) == .takeTurn)
        #expect(course.asked(Self.dead) == Self.send(1, fresh: true))
        #expect(course.ended(Self.report(.rejected)) == .finish(.unboundAnswer))
    }

    @Test func theSecondCandidatesYesCountsAfterAnAnswerThatWasNobodys() {
        var course = CallCourse(candidates: 2)
        _ = course.begin()
        _ = course.asked(Self.unbound(.accepted))
        _ = course.ended(Self.unbound(.accepted))
        #expect(course.asked(Self.report(.accepted)) == .finish(.accepted))
    }

    // MARK: Confirming

    /// A "no" that is to be confirmed.
    private static func confirming(candidates: Int = 2, retries: Int64 = 1) -> CallCourse {
        var course = CallCourse(candidates: candidates, retries: retries, confirms: true)
        _ = course.begin()
        course.now = second
        #expect(course.asked(report(.rejected)) == .confirm(candidate: 0))
        return course
    }

    /// Its own request for the key set is next.
    private static func asking(candidates: Int = 2) -> CallCourse {
        var course = confirming(candidates: candidates)
        #expect(course.decided(.begin(flight: 5)) == askForKeySet())
        return course
    }

    @Test func onlyARejectionIsConfirmedAndOnlyWhereConfigured() {
        for reason in Self.refusals + Self.unjudged + Self.ends {
            for confirms in [false, true] {
                var course = CallCourse(candidates: 2, confirms: confirms)
                _ = course.begin()
                let isConfirmed = course.asked(Self.report(reason)) == .confirm(candidate: 0)
                #expect(isConfirmed == (confirms && reason == .rejected), "\(reason) \(confirms)")
            }
        }
    }

    @Test func aNoKeepsItsTurnAndItsPermitUntilItIsDecided() {
        let course = Self.confirming()
        #expect(!course.step.releasesTurn && course.step.settlement == nil)
        #expect(course.ledger.holdsTurn && course.ledger.permit != nil)
        #expect(course.call.rejectedAt == Self.second)
    }

    @Test func aRejectionThatStandsIsARefusal() {
        for result in [ConfirmationResult.stands, .hidden(401)] {
            var course = Self.confirming()
            #expect(course.decided(.use(result)) == .takeTurn)
            #expect(course.step.releasesTurn && course.step.settlement?.outcome == .success)
            #expect(course.asked(Self.report(.rejected)) == .confirm(candidate: 1))
            #expect(course.decided(.use(result)) == .finish(.rejected))
        }
    }

    @Test(arguments: [0, 408, 425, 429, 500, 503])
    func anOutageInDisguiseEndsTheSearchAsUnavailable(_ code: Int) {
        var course = Self.confirming(candidates: 4)
        #expect(course.decided(.use(.outage(code))) == .finish(.notConfirmed(code)))
        #expect(course.step.settlement?.outcome == .failure)
        #expect(VerdictReason.notConfirmed(code).status == .unavailable)
    }

    @Test func aKeySetThatIsNotShownNeverMakesARefusalAndIsNoFailure() {
        var course = Self.confirming()
        #expect(course.decided(.use(.notShown(407))) == .takeTurn)
        #expect(course.step.settlement?.outcome == .success)
        _ = course.asked(Self.report(.rejected))
        #expect(course.decided(.use(.stands)) == .finish(.keySetNotShown(407)))
    }

    @Test func aCachedKeySetEndsTheSearch() {
        var course = Self.confirming()
        #expect(course.decided(.use(.cached)) == .finish(.keySetCached))
        #expect(course.step.settlement?.outcome == .success)
    }

    @Test func theNextCandidateCanStillBeAccepted() {
        for result in [ConfirmationResult.stands, .hidden(403), .notShown(407)] {
            var course = Self.confirming()
            _ = course.decided(.use(result))
            #expect(course.asked(Self.report(.accepted)) == .finish(.accepted))
        }
    }

    @Test func aHiddenKeySetIsTold() {
        for result in [ConfirmationResult.stands, .outage(0), .outage(500), .cached, .notShown(403), .hidden(403)] {
            var course = Self.confirming()
            _ = course.decided(.use(result))
            #expect(course.step.hiddenKeySet == (result == .hidden(403) ? 403 : nil))
        }
        var own = Self.asking()
        _ = own.keySetEnded(Ends.answer(404))
        #expect(own.step.hiddenKeySet == 404)
    }

    // MARK: The own request for the key set

    @Test func theKeySetIsAskedForWithTheTurnThatIsThere() {
        var course = Self.asking(candidates: 1)
        #expect(!course.step.releasesTurn && course.call.currentCandidate == nil && !course.call.needsPermit)
        #expect(course.keySetEnded(Ends.answer(200)) == .finish(.rejected))
        #expect(course.step.releasesTurn && course.step.settlement?.outcome == .success)
        #expect(course.step.landing == CallStep.Landing(flight: 5, result: .stands))
    }

    @Test func othersGetWhatTheKeySetSaid() {
        for end in Ends.failures.map({ .failure($0) }) + (100...999).map({ Ends.answer($0) }) {
            var course = Self.asking()
            _ = course.keySetEnded(end)
            #expect(course.step.landing == CallStep.Landing(flight: 5, result: KeySetAnswer(end).shared))
        }
    }

    @Test func aFailureThatLiesHereIsNoOutage() {
        for failure in Ends.failures where ExchangeMeaning.of(failure).keySet == .nothing {
            var course = Self.asking()
            let next = course.keySetEnded(.failure(failure))
            // One that could not be judged lets the next candidate try.
            let goesOn = [.misconfigured, .protocolError].contains(failure.status)
            #expect(next == (goesOn ? .takeTurn : .finish(.transport(failure))), "\(failure)")
            #expect(course.step.settlement?.outcome == .nothing, "\(failure)")
        }
    }

    @Test func withoutTimeForTheKeySetTheNoIsNotConfirmed() {
        var course = Self.asking()
        #expect(course.keySetEnded(.failure(.deadline)) == .finish(.notConfirmed(0)))
        #expect(course.step.settlement?.outcome == .nothing)
        #expect(course.step.landing == CallStep.Landing(flight: 5, result: nil))
    }

    /// A caller whose own time ran out learnt nothing about Hanko.
    @Test func aBreakAtTheDeadlineSaysNothing() {
        for (now, outcome) in [(9, .failure), (10, .nothing), (11, .nothing)] as [(Int64, ExchangeOutcome)] {
            var course = Self.asking()
            course.now = now * Self.second
            #expect(course.keySetEnded(.failure(.connectionLost)) == .finish(.notConfirmed(0)))
            #expect(course.step.settlement?.outcome == outcome, "\(now)")
        }
        var answered = Self.asking()
        answered.now = 11 * Self.second
        _ = answered.keySetEnded(Ends.answer(500))
        #expect(answered.step.settlement?.outcome == .failure)
    }

    @Test func aDeadConnectionOfTheKeySetIsReplacedOnce() {
        var course = Self.asking()
        #expect(course.keySetEnded(.failure(.emptyReply), kept: true) == Self.askForKeySet(fresh: true))
        #expect(course.step.landing == nil && course.step.settlement == nil && !course.step.releasesTurn)
        #expect(course.keySetEnded(.failure(.emptyReply), kept: true) == .finish(.notConfirmed(0)))
        #expect(course.step.settlement?.outcome == .failure)
    }

    /// The fresh connection of the request before is no reason to take another for the key set.
    @Test func theKeySetMayUseTheConnectionThatReplacedADeadOne() {
        var course = CallCourse(confirms: true)
        _ = course.begin()
        _ = course.asked(Self.dead)
        _ = course.ended(Self.report(.rejected))
        #expect(course.decided(.begin(flight: 1)) == Self.askForKeySet())
        #expect(course.keySetEnded(.failure(.emptyReply), kept: true) == Self.askForKeySet(fresh: true))
        #expect(course.keySetEnded(Ends.answer(200)) == .finish(.rejected))
    }

    @Test func aKeySetThatIsNobodysIsAskedForOnceMoreAndConfirmsNothing() {
        var course = Self.asking()
        #expect(course.keySetEnded(Ends.answer(200), kept: true, bound: false) == Self.askForKeySet(fresh: true))
        #expect(course.step.landing == nil && course.step.settlement == nil && !course.step.releasesTurn)
        let next = course.keySetEnded(Ends.answer(200), kept: true, bound: false)
        #expect(next == .finish(.notConfirmed(0)))
        // Not for the others who wait, either.
        #expect(course.step.landing?.result != .stands)
    }

    /// Once a call, token and key set together.
    @Test func afterAnAnswerThatWasNobodysTheKeySetIsNotAskedForOnceMore() {
        var course = CallCourse(confirms: true)
        _ = course.begin()
        _ = course.asked(Self.unbound(.rejected))
        #expect(course.ended(Self.report(.rejected)) == .confirm(candidate: 0))
        #expect(course.decided(.begin(flight: 1)) == Self.askForKeySet())
        #expect(course.keySetEnded(Ends.answer(200), kept: true, bound: false) == .finish(.notConfirmed(0)))
    }

    @Test func withoutATurnOneIsTakenForTheKeySet() {
        var course = Self.confirming()
        _ = course.decided(.join)
        #expect(course.confirmationEnded(nil) == .confirm(candidate: 0))
        #expect(course.decided(.begin(flight: 6)) == .takeTurn)
        #expect(!course.call.needsPermit && course.call.currentCandidate == nil)
        #expect(course.turnCame() == Self.askForKeySet())
        #expect(course.keySetEnded(Ends.answer(200)) == .takeTurn)
        #expect(course.step.landing == CallStep.Landing(flight: 6, result: .stands))
    }

    @Test(arguments: [TransportFailure.tooManyWaiting, .localShortage, .processExits])
    func withoutATurnForTheKeySetTheFlightIsGivenUp(_ failure: TransportFailure) {
        var course = Self.confirming()
        _ = course.decided(.join)
        _ = course.confirmationEnded(nil)
        _ = course.decided(.begin(flight: 6))
        #expect(course.refused(failure) == .finish(.transport(failure)))
        #expect(course.step.landing == CallStep.Landing(flight: 6, result: nil))
        #expect(course.step.settlement?.outcome == .nothing)
    }

    @Test func aDeadlineInLineForTheKeySetGivesTheFlightUp() {
        var course = Self.confirming()
        _ = course.decided(.join)
        _ = course.confirmationEnded(nil)
        _ = course.decided(.begin(flight: 6))
        course.now = 10 * Self.second
        #expect(course.deadlinePassed() == .finish(.notConfirmed(0)))
        #expect(course.step.landing == CallStep.Landing(flight: 6, result: nil))
        #expect(course.step.settlement?.outcome == .nothing)
    }

    // MARK: Waiting for another call's key set

    @Test func whoJoinsGivesTheTurnBackAndKeepsThePermit() {
        var course = Self.confirming()
        #expect(course.decided(.join) == .join)
        #expect(course.step.releasesTurn && course.step.settlement == nil)
        #expect(course.ledger.permit != nil)
        #expect(course.confirmationEnded(.stands) == .takeTurn)
        #expect(course.step.settlement?.outcome == .success && course.step.landing == nil)
    }

    @Test func aFlightThatWasGivenUpIsDecidedAnew() {
        var course = Self.confirming()
        for _ in 0..<5 {
            #expect(course.decided(.join) == .join)
            #expect(course.confirmationEnded(nil) == .confirm(candidate: 0))
        }
        #expect(course.decided(.use(.outage(500))) == .finish(.notConfirmed(500)))
    }

    @Test func aDeadlineWhileItWaitsLeavesTheNoUnconfirmed() {
        var course = Self.confirming(candidates: 3)
        _ = course.decided(.join)
        course.now = 10 * Self.second
        #expect(course.deadlinePassed() == .finish(.notConfirmed(0)))
        #expect(course.step.settlement?.outcome == .nothing)
    }

    @Test func beyondTheRateItRestsWithoutATurn() {
        var course = Self.confirming()
        #expect(course.decided(.rest(until: 3 * Self.second)) == .rest(until: 3 * Self.second))
        #expect(course.step.releasesTurn && course.step.settlement == nil)
        #expect(course.rested() == .confirm(candidate: 0))
        // It is no retry.
        #expect(course.call.retryCount == 0)
        #expect(course.decided(.begin(flight: 7)) == .takeTurn)
        _ = course.turnCame()
        #expect(!course.step.countsRetry)
    }

    @Test(arguments: [(9_999_999_999, true), (10_000_000_000, false), (.max, false)] as [(Int64, Bool)])
    func aRestThatDoesNotFitTheDeadlineIsNotTaken(_ moment: Int64, _ fits: Bool) {
        var course = Self.confirming()
        #expect(course.decided(.rest(until: moment)) == (fits ? .rest(until: moment) : .finish(.notConfirmed(0))))
        #expect(course.step.settlement?.outcome == (fits ? nil : .nothing))
    }

    @Test func noConfirmationMakesAYes() {
        for end in Ends.failures.map({ .failure($0) }) + (100...999).map({ Ends.answer($0) }) {
            var course = Self.asking(candidates: 1)
            guard case .finish(let reason) = course.keySetEnded(end) else {
                Issue.record("\(course.step.next)")
                continue
            }
            #expect(reason.status != .ok)
            let stands = KeySetAnswer(end).shared?.reason == .rejected
            #expect((reason.status == .invalidToken) == stands)
        }
    }

    // MARK: Cancelling

    /// A call in each of the places where it can be.
    private static var places: [(String, CallCourse)] {
        var places: [(String, CallCourse)] = []
        func at(_ place: String, _ course: CallCourse, _ go: (inout CallCourse) -> Void) {
            var course = course
            go(&course)
            places.append((place, course))
        }
        let new = CallCourse(candidates: 2, retries: 2, confirms: true)
        at("before it begins", new) { _ in }
        at("in line", new) { _ = $0.begin() }
        let sent = { (course: inout CallCourse) in
            _ = course.begin()
            _ = course.turnCame()
        }
        at("its request under way", new, sent)
        at("over a fresh connection", new) {
            sent(&$0)
            _ = $0.ended(dead)
        }
        at("once more", new) {
            sent(&$0)
            _ = $0.ended(unbound(.accepted))
        }
        at("resting before a retry", new) {
            sent(&$0)
            _ = $0.ended(retried(.serverFailed(503), after: 1))
        }
        at("in line for a retry", new) {
            sent(&$0)
            _ = $0.ended(retried(.serverFailed(503), after: 1))
            _ = $0.rested()
        }
        at("in line for the next candidate", new) {
            sent(&$0)
            _ = $0.ended(report(.wrongAddress(403)))
        }
        at("before it is decided", confirming()) { _ in }
        at("the key set under way", asking()) { _ in }
        at("the key set over a fresh connection", asking()) { _ = $0.keySetEnded(.failure(.emptyReply), kept: true) }
        at("waiting for another", confirming()) { _ = $0.decided(.join) }
        at("decided anew", confirming()) {
            _ = $0.decided(.join)
            _ = $0.confirmationEnded(nil)
        }
        at("resting before the key set", confirming()) { _ = $0.decided(.rest(until: 5 * second)) }
        at("in line for the key set", confirming()) {
            _ = $0.decided(.join)
            _ = $0.confirmationEnded(nil)
            _ = $0.decided(.begin(flight: 9))
        }
        let check = CallCourse(.check, confirms: true)
        at("a check's request under way", check, sent)
        at("a check's key set under way", check) {
            sent(&$0)
            _ = $0.ended(report(.rejected))
        }
        return places
    }

    @Test(arguments: [VerdictReason.cancelled, .transport(.processExits), .transport(.localShortage)])
    func aCallCanEndWhereverItIs(_ reason: VerdictReason) {
        for (place, course) in Self.places {
            var course = course
            let before = course.ledger
            #expect(course.cancelled(reason) == .finish(reason), "\(place)")
            // All that it holds is given back here, and nothing else.
            #expect(course.step.releasesTurn == before.holdsTurn, "\(place)")
            #expect(course.step.settlement?.permit == before.permit, "\(place)")
            #expect(course.step.settlement.map { $0.outcome == .nothing } ?? true, "\(place)")
            #expect(course.step.landing == before.flight.map { CallStep.Landing(flight: $0, result: nil) }, "\(place)")
            #expect(!course.step.countsRetry && course.step.hiddenKeySet == nil, "\(place)")
            #expect(course.ledger.isOver && course.call.session == nil, "\(place)")
            // And once.
            var call = course.call
            let again = call.cancelled(reason)
            #expect(again.next == .finish(reason) && !again.releasesTurn, "\(place)")
            #expect(again.settlement == nil && again.landing == nil, "\(place)")
        }
    }

    /// Wherever a call waits for nothing but a turn or another's key set, the deadline ends it, and it gives all back.
    @Test func theDeadlineEndsACallWhereverItWaits() {
        var count = 0
        for (place, course) in Self.places {
            var course = course
            switch course.step.next {
            case .takeTurn, .join: break
            default: continue
            }
            let before = course.ledger
            course.now = 10 * Self.second
            guard case .finish(let reason) = course.deadlinePassed() else {
                Issue.record("\(place): \(course.step.next)")
                continue
            }
            #expect(reason == .transport(.deadline) || reason == .notConfirmed(0), "\(place)")
            #expect(course.step.settlement?.permit == before.permit, "\(place)")
            #expect(course.step.settlement.map { $0.outcome == .nothing } ?? true, "\(place)")
            #expect(course.step.landing == before.flight.map { CallStep.Landing(flight: $0, result: nil) }, "\(place)")
            count += 1
        }
        #expect(count == 6)
    }

    // MARK: The start-up test

    private static func check(confirms: Bool = true) -> CallCourse {
        var course = CallCourse(.check, confirms: confirms)
        _ = course.begin()
        return course
    }

    @Test func aCheckPassesTheBreakerAndAsksForTheKeySetWithTheSameTurn() {
        for confirms in [false, true] {
            var course = Self.check(confirms: confirms)
            #expect(!course.call.needsPermit)
            #expect(course.turnCame() == Self.send(0))
            #expect(course.ended(Self.report(.rejected)) == Self.askForKeySet())
            #expect(!course.step.releasesTurn && course.step.settlement == nil)
            #expect(course.keySetEnded(Ends.answer(200)) == .finish(.accepted))
            #expect(course.step.settlement == nil && course.step.landing == nil)
        }
    }

    @Test func aCheckIsNeverANo() {
        for reason in Self.refusals + Self.unjudged + Self.ends where reason != .rejected {
            var course = Self.check()
            let next = course.asked(Self.report(reason))
            guard case .finish(let found) = next else {
                Issue.record("\(reason): \(next)")
                continue
            }
            #expect(found == StartupCheck.end(after: reason, clockOffset: nil), "\(reason)")
            #expect(found.status != .ok && found.status != .invalidToken, "\(reason)")
        }
    }

    @Test func aCheckTellsOfAClockThatIsOff() {
        var course = Self.check()
        let end = Ends.answer(200) { $0.date = Judge.now - 90 }
        #expect(course.asked(Self.report(.rejected, end)) == .finish(.clockOff(seconds: 90)))
    }

    @Test func aCheckEndsAsItsKeySetSays() {
        for end in Ends.failures.map({ .failure($0) }) + (100...999).map({ Ends.answer($0) }) {
            for confirms in [false, true] {
                var course = Self.check(confirms: confirms)
                _ = course.asked(Self.report(.rejected))
                let expected: VerdictReason
                switch KeySetAnswer(end) {
                case .result(let result): expected = StartupCheck.end(after: result, confirmsRejections: confirms)
                case .late: expected = .notConfirmed(0)
                case .failed(let failure): expected = .transport(failure)
                }
                #expect(course.keySetEnded(end) == .finish(expected))
                // Who does not confirm misses nothing.
                let isTold = course.step.hiddenKeySet != nil
                #expect(isTold == (confirms && ExchangeMeaning.of(end).keySet == .hidden))
            }
        }
    }

    @Test func aCheckWhoseAnswersAreNobodysIsNotOK() {
        var course = Self.check()
        #expect(course.asked(Self.unbound(.rejected)) == Self.send(0, fresh: true))
        #expect(course.ended(Self.unbound(.rejected)) == .finish(.unboundAnswer))
        var keySet = Self.check()
        _ = keySet.asked(Self.report(.rejected))
        #expect(keySet.keySetEnded(Ends.answer(200), kept: true, bound: false) == Self.askForKeySet(fresh: true))
        #expect(keySet.keySetEnded(Ends.answer(200), kept: true, bound: false) == .finish(.notConfirmed(0)))
    }

    @Test func aCheckRetriesAsAValidationDoes() {
        var course = Self.check()
        #expect(course.asked(Self.retried(.serverFailed(503), after: 1)) == .rest(until: Self.second))
        #expect(course.rested() == .takeTurn)
        #expect(course.turnCame() == Self.send(0))
        #expect(course.ended(Self.report(.serverFailed(503), Ends.answer(503))) == .finish(.serverFailed(503)))
    }
}
