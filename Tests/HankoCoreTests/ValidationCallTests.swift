@testable import HankoCore
import Testing

/// The course of a call, one event after the other.
@Suite struct ValidationCallTests {
    private static let second: Int64 = 1_000_000_000

    private static func call(
        candidates: Int = 1, retries: Int64 = 1, confirms: Bool = false, deadline: Int64 = 10 * second
    ) -> ValidationCall {
        ValidationCall(
            candidateCount: candidates, maximumRetries: retries, confirmsRejections: confirms,
            deadline: Deadline(nanoseconds: deadline))
    }

    private static func report(
        _ reason: VerdictReason, retry: RetryPolicy.Advice = .no, dead: Bool = false
    ) -> ExchangeReport {
        ExchangeReport(reason: reason, retry: retry, foundDeadConnection: dead)
    }

    private static func send(_ candidate: Int, replacing: Bool = false) -> CallAction {
        .send(candidate: candidate, replacingConnection: replacing)
    }

    private static let refusals: [VerdictReason] = [
        .rejected, .claimsUnreadable, .audienceMismatch, .audienceUnknown, .tokenRefusedForLength(413),
    ]

    private static let unjudged: [VerdictReason] = [
        .wrongAddress(403), .wrongAddress(404), .clockOff(seconds: 90), .headTooLarge, .bodyTooLarge,
        .contentLengthsDiffer, .notJSON(position: 3), .notObject, .noVerdict, .userUnusable, .textUnusable, .otherToken,
        .expiryUnreadable, .expired(secondsAgo: 61), .unexpectedStatus(204), .transport(.notHTTP),
        .transport(.certificateFile), .transport(.unusableLibrary(4)),
    ]

    private static let ends: [VerdictReason] = [
        .accepted, .serverFailed(503), .serverFailed(429), .transport(.deadline), .transport(.connect),
        .transport(.tls), .transport(.connectionLost), .transport(.breakerOpen), .transport(.tooManyWaiting),
        .transport(.localShortage), .transport(.processExits), .transport(.other(1)), .notConfirmed(500),
    ]

    // MARK: Candidates

    @Test func itBeginsWithTheFirstCandidate() {
        for candidates in 1...4 { #expect(Self.call(candidates: candidates).begin() == Self.send(0)) }
    }

    @Test func afterARefusalTheNextIsTried() {
        for reason in Self.refusals + Self.unjudged {
            var call = Self.call(candidates: 3)
            let actions = [
                call.ended(Self.report(reason), now: 0), call.ended(Self.report(reason), now: 0),
                call.ended(Self.report(reason), now: 0),
            ]
            #expect(actions == [Self.send(1), Self.send(2), .finish(reason)], "\(reason)")
        }
    }

    @Test func theFirstThatHankoAcceptsWins() {
        for place in 0..<4 {
            var call = Self.call(candidates: 4)
            for candidate in 0..<place {
                let action = call.ended(Self.report(candidate % 2 == 0 ? .rejected : .wrongAddress(403)), now: 0)
                #expect(action == Self.send(candidate + 1))
            }
            let last = call.ended(Self.report(.accepted), now: 0)
            #expect(last == .finish(.accepted))
        }
    }

    @Test func unavailableTimeoutAndCancelledEndTheSearch() {
        for reason in Self.ends {
            var first = Self.call(candidates: 4)
            let atOnce = first.ended(Self.report(reason), now: 0)
            #expect(atOnce == .finish(reason), "\(reason)")
            // Whatever came before.
            for before in [VerdictReason.rejected, .wrongAddress(403), .noVerdict] {
                var call = Self.call(candidates: 4)
                _ = call.ended(Self.report(before), now: 0)
                let action = call.ended(Self.report(reason), now: 0)
                #expect(action == .finish(reason), "\(before) \(reason)")
            }
        }
    }

    @Test func whatIsJudgedWithoutAskingCountsTheSame() {
        for reason in Self.refusals + Self.unjudged {
            var call = Self.call(candidates: 2, confirms: true)
            let first = call.judged(reason)
            let second = call.judged(.tokenTooLong)
            #expect(first == Self.send(1), "\(reason)")
            #expect(second == .finish(reason.status == .invalidToken ? .tokenTooLong : reason), "\(reason)")
        }
    }

    @Test func everyOneRefusedIsARefusal() {
        for first in Self.refusals {
            for second in Self.refusals {
                var call = Self.call(candidates: 2)
                _ = call.ended(Self.report(first), now: 0)
                let action = call.ended(Self.report(second), now: 0)
                guard case .finish(let reason) = action else {
                    Issue.record("\(action)")
                    continue
                }
                #expect(reason.status == .invalidToken, "\(first) \(second)")
            }
        }
    }

    @Test func otherwiseTheFirstThatCouldNotBeJudgedCounts() {
        for unjudged in Self.unjudged {
            for place in 0..<3 {
                var call = Self.call(candidates: 3)
                var last: CallAction?
                for candidate in 0..<3 {
                    let reason: VerdictReason =
                        candidate == place ? unjudged : candidate < place ? .rejected : .wrongAddress(499)
                    last = call.ended(Self.report(reason), now: 0)
                }
                #expect(last == .finish(unjudged), "\(unjudged) \(place)")
            }
        }
    }

    // MARK: Retries

    @Test func aRetryPausesAndSendsTheSameCandidateAgain() {
        var call = Self.call(candidates: 2)
        _ = call.ended(Self.report(.rejected), now: 0)
        let pause = call.ended(Self.report(.serverFailed(503), retry: .after(nanoseconds: 7)), now: 0)
        #expect(pause == .pause(nanoseconds: 7))
        #expect(call.retryCount == 1)
        let again = call.paused()
        #expect(again == Self.send(1))
        let end = call.ended(Self.report(.accepted), now: 8)
        #expect(end == .finish(.accepted))
    }

    @Test(arguments: [0, 1, 2, 10] as [Int64])
    func retriesAreCountedForTheWholeCall(_ retries: Int64) {
        var call = Self.call(candidates: 4, retries: retries)
        var pauses: Int64 = 0
        // Each candidate fails once in a way that may be retried and is then refused.
        var action = call.begin()
        var hasFailed = false
        var steps = 0
        while steps < 100 {
            steps += 1
            if case .finish = action { break }
            if case .pause = action {
                pauses += 1
                #expect(call.retryCount == pauses)
                action = call.paused()
                continue
            }
            // The reason is one that lets the next candidate try, so that only the count ends the retries.
            action = call.ended(
                Self.report(hasFailed ? .rejected : .headTooLarge, retry: hasFailed ? .no : .after(nanoseconds: 1)),
                now: 0)
            if case .pause = action { hasFailed = true } else { hasFailed = false }
        }
        #expect(pauses == min(retries, 4))
    }

    @Test func withoutARetryLeftTheReasonCounts() {
        var call = Self.call(retries: 2)
        var pauses = 0
        var action = call.begin()
        for _ in 0..<20 {
            if case .finish = action { break }
            if case .pause = action {
                pauses += 1
                action = call.paused()
            } else {
                action = call.ended(Self.report(.transport(.connect), retry: .after(nanoseconds: 1)), now: 0)
            }
        }
        #expect(pauses == 2)
        #expect(action == .finish(.transport(.connect)))
    }

    @Test func aPauseThatDoesNotFitTheDeadlineEndsTheCallAtOnce() {
        for (now, pause, fits) in [
            (0, 9, true), (0, 10, false), (0, 11, false), (9, 0, true), (10, 0, false), (5, 4, true), (5, 5, false),
            (20, 0, false), (0, 1_000_000, false),
        ] as [(Int64, Int64, Bool)] {
            var call = Self.call(candidates: 2, deadline: 10 * Self.second)
            let action = call.ended(
                Self.report(.serverFailed(503), retry: .after(nanoseconds: pause * Self.second)),
                now: now * Self.second)
            #expect(
                action == (fits ? .pause(nanoseconds: pause * Self.second) : .finish(.serverFailed(503))),
                "\(now) \(pause)")
            #expect(call.retryCount == (fits ? 1 : 0))
        }
    }

    @Test func whatIsNotToBeRetriedIsNot() {
        var call = Self.call(retries: 10)
        let action = call.ended(Self.report(.transport(.deadline)), now: 0)
        #expect(action == .finish(.transport(.deadline)))
        #expect(call.retryCount == 0)
    }

    // MARK: Replaced connections

    @Test func aDeadConnectionIsReplacedAtOnceAndIsNoRetry() {
        var call = Self.call(retries: 1)
        let dead = Self.report(.transport(.emptyReply), retry: .after(nanoseconds: 5), dead: true)
        let replaced = call.ended(dead, now: 0)
        #expect(replaced == Self.send(0, replacing: true))
        #expect(call.retryCount == 0)
        // The retry is still there.
        let retried = call.ended(Self.report(.transport(.emptyReply), retry: .after(nanoseconds: 5)), now: 0)
        #expect(retried == .pause(nanoseconds: 5))
        #expect(call.retryCount == 1)
    }

    @Test func withoutRetriesADeadConnectionIsReplacedAsWell() {
        var call = Self.call(retries: 0)
        let replaced = call.ended(Self.report(.transport(.unaskedBytes), dead: true), now: 0)
        #expect(replaced == Self.send(0, replacing: true))
        let end = call.ended(Self.report(.accepted), now: 0)
        #expect(end == .finish(.accepted))
    }

    @Test func onlyOnceForEachSend() {
        let dead = Self.report(.transport(.emptyReply), retry: .after(nanoseconds: 5), dead: true)
        var call = Self.call(candidates: 2, retries: 2)
        let actions = [
            call.ended(dead, now: 0), call.ended(dead, now: 0), call.paused(), call.ended(dead, now: 0),
            call.ended(dead, now: 0), call.paused(), call.ended(dead, now: 0), call.ended(dead, now: 0),
        ]
        #expect(
            actions == [
                Self.send(0, replacing: true), .pause(nanoseconds: 5), Self.send(0), Self.send(0, replacing: true),
                .pause(nanoseconds: 5), Self.send(0), Self.send(0, replacing: true), .finish(.transport(.emptyReply)),
            ])
    }

    @Test func theNextCandidateMayReplaceItsConnectionAgain() {
        var call = Self.call(candidates: 2)
        let dead = Self.report(.transport(.emptyReply), dead: true)
        let actions = [
            call.ended(dead, now: 0), call.ended(Self.report(.rejected), now: 0), call.ended(dead, now: 0),
            call.ended(dead, now: 0),
        ]
        #expect(
            actions == [
                Self.send(0, replacing: true), Self.send(1), Self.send(1, replacing: true),
                .finish(.transport(.emptyReply)),
            ])
    }

    // MARK: Confirming

    @Test func onlyARejectionIsConfirmedAndOnlyWhereConfigured() {
        for reason in Self.refusals + Self.unjudged + Self.ends {
            for confirms in [false, true] {
                var call = Self.call(candidates: 2, confirms: confirms)
                let action = call.ended(Self.report(reason), now: 0)
                let isConfirm = action == .confirm(candidate: 0)
                #expect(isConfirm == (confirms && reason == .rejected), "\(reason) \(confirms)")
            }
        }
    }

    @Test func aRejectionThatStandsIsARefusal() {
        for result in [ConfirmationResult.stands, .hidden(401)] {
            var call = Self.call(candidates: 2, confirms: true)
            let actions = [
                call.ended(Self.report(.rejected), now: 0), call.confirmed(result),
                call.ended(Self.report(.rejected), now: 0), call.confirmed(result),
            ]
            #expect(
                actions == [.confirm(candidate: 0), Self.send(1), .confirm(candidate: 1), .finish(.rejected)])
        }
    }

    @Test(arguments: [0, 408, 425, 429, 500, 503])
    func anOutageInDisguiseEndsTheSearchAsUnavailable(_ code: Int) {
        var call = Self.call(candidates: 4, confirms: true)
        _ = call.ended(Self.report(.rejected), now: 0)
        let action = call.confirmed(.outage(code))
        #expect(action == .finish(.notConfirmed(code)))
        #expect(VerdictReason.notConfirmed(code).status == .unavailable)
    }

    @Test func aKeySetThatIsNotShownNeverMakesARefusal() {
        var call = Self.call(candidates: 2, confirms: true)
        let actions = [
            call.ended(Self.report(.rejected), now: 0), call.confirmed(.notShown(407)),
            call.ended(Self.report(.rejected), now: 0), call.confirmed(.stands),
        ]
        #expect(actions[1] == Self.send(1))
        #expect(actions[3] == .finish(.keySetNotShown(407)))
        #expect(VerdictReason.keySetNotShown(407).status == .misconfigured)
    }

    @Test func theNextCandidateCanStillBeAccepted() {
        for result in [ConfirmationResult.stands, .hidden(403), .notShown(407)] {
            var call = Self.call(candidates: 2, confirms: true)
            _ = call.ended(Self.report(.rejected), now: 0)
            _ = call.confirmed(result)
            let action = call.ended(Self.report(.accepted), now: 0)
            #expect(action == .finish(.accepted))
        }
    }

    @Test func noConfirmationMakesAYes() {
        for result in [ConfirmationResult.stands, .outage(0), .outage(200), .cached, .hidden(200), .notShown(200)] {
            #expect(result.reason.status != .ok)
        }
    }
}
