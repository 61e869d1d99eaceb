@testable import HankoCore
import Testing

/// The property that everything rests on: whatever surrounds the verdict can only weaken it. Random faults, answers,
/// retries, breaker states, turns that are refused, rests, confirmations, answers that are nobody's, deadlines and
/// cancellations drive a call, and an oracle that knows only what the made-up Hanko meant watches how it ends.
@Suite struct CallProgressPropertyTests {
    /// What an answer means for a token, by the making of the answer and not by the judgement of the library.
    private enum Meaning {
        case yes
        /// 200 and `is_valid` false.
        case no
        /// Refused in another way that is a verdict on the token.
        case refusal
        case nothing
    }

    /// A body as it may come with status 200.
    private struct Body {
        let bytes: UnsafeBufferPointer<UInt8>
        let forPlainToken: Meaning
        let forSessionToken: Meaning

        /// No plain token names an audience, whatever the answer says of it.
        var forPlainTokenWithAudience: Meaning { forPlainToken == .yes ? .refusal : forPlainToken }

        init(_ text: some Collection<UInt8>, _ plain: Meaning, sessionToken: Meaning? = nil) {
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
            _ = memory.initialize(from: text)
            bytes = UnsafeBufferPointer(memory)
            forPlainToken = plain
            forSessionToken = sessionToken ?? plain
        }

        init(_ text: String, _ plain: Meaning, sessionToken: Meaning? = nil) {
            self.init(Array(text.utf8), plain, sessionToken: sessionToken)
        }
    }

    /// The made-up Hanko of one batch: everything it may say, in memory that lives as long.
    private struct Hanko {
        static let statuses = [
            0, 100, 101, 199, 201, 204, 206, 301, 302, 307, 308, 401, 403, 404, 405, 407, 408, 413, 415, 418, 425, 429,
            431, 499, 500, 502, 503, 504, 599, 600, 999,
        ]

        /// The first of them is the shortest yes.
        let bodies: [Body] = [
            Body(#"{"is_valid":true}"#, .yes),
            Body(
                """
                {"is_valid":true,"claims":{"audience":["app"],"expiration":"2026-11-23T01:00:34Z",\
                "session_id":"\(Judge.session)","subject":"\(Judge.user)"},\
                "expiration_time":"2026-11-23T01:00:34Z","user_id":"\(Judge.user)"}
                """, .yes),
            // The answer to somebody else's token, from a proxy that mixes them up.
            Body(
                #"{"is_valid":true,"claims":{"session_id":"\#(Judge.otherSession)"}}"#, .yes,
                sessionToken: .nothing),
            Body(#"{"is_valid":true,"user_id":"\#(Judge.otherUser)"}"#, .yes, sessionToken: .nothing),
            Body(#"{"is_valid":true,"user_id":"admin"}"#, .yes, sessionToken: .nothing),
            Body(#"{"is_valid":true,"claims":{"session_id":"evil"}}"#, .yes, sessionToken: .nothing),
            Body(#"{"is_valid":true,"expiration_time":"2026-11-23T01:00:35Z"}"#, .yes, sessionToken: .nothing),
            Body(#"{"is_valid":false}"#, .no),
            Body(#"{"is_valid":false}"#, .no),
            Body(#"{"is_valid":false,"user_id":"00000000-0000-0000-0000-000000000000"}"#, .no),
            Body(#"{"is_valid":true"#, .nothing),
            Body(#"{"is_valid":"true"}"#, .nothing),
            Body(#"{"is_valid":null}"#, .nothing),
            Body(#"{"is_valid":1}"#, .nothing),
            Body(#"{"is_valid":false,"is_valid":true}"#, .nothing),
            Body(#"{"is_valid":true,"user_id":""}"#, .nothing),
            Body(#"{"is_valid":true,"expiration_time":"2020-01-01T00:00:00Z"}"#, .nothing),
            Body(#"[{"is_valid":true}]"#, .nothing),
            Body(#"{"claims":{"is_valid":true}}"#, .nothing),
            Body("<html>true</html>", .nothing),
            Body("", .nothing),
        ]
        let unreadableClaims = Body(
            #"{"code":400,"message":"failed to parse token claims: \"is_valid\":true"}"#, .refusal)
        let plainTokens = (0..<4).map { Body("token-\($0)", .nothing) }
        let sessionToken = Body(
            Judge.token(
                payload: """
                    {"aud":["app"],"exp":1795395634,"iat":1795352434,"session_id":"\(Judge.session)",\
                    "sub":"\(Judge.user)"}
                    """), .nothing)

        func free() {
            for body in bodies + plainTokens + [unreadableClaims, sessionToken] { body.bytes.deallocate() }
        }

        /// What a Hanko, or whatever stands in front of it, makes of a request.
        func end(
            ofAskingFor sessionToken: Bool, hasAudience: Bool, _ dice: inout SeededGenerator
        ) -> (end: ExchangeEnd, meaning: Meaning) {
            if dice.chance(25) {
                // Some of these never come out of an exchange; they must not make a yes either.
                return (.failure(Ends.failures[dice.below(Ends.failures.count)]), .nothing)
            }
            var answer = Answer()
            var body = bodies[dice.chance(30) ? 0 : dice.below(bodies.count)]
            var meaning =
                sessionToken
                ? body.forSessionToken : hasAudience ? body.forPlainTokenWithAudience : body.forPlainToken
            switch dice.below(10) {
            case 0..<6:
                answer.status = 200
            case 6:
                answer.status = 400
                if dice.chance(50) { body = unreadableClaims }
                meaning = body.forPlainToken == .refusal ? .refusal : .nothing
            default:
                answer.status = Self.statuses[dice.below(Self.statuses.count)]
                meaning = .nothing
            }
            answer.body = ByteView(body.bytes)
            switch dice.below(50) {
            case 0: answer.headTooLarge = true
            case 1: answer.bodyTooLarge = true
            case 2: answer.hasBrokenLength = true
            case 3: answer.isEncoded = true
            case 4: answer.isEarly = true
            default: break
            }
            if answer.isEarly || !answer.bodyIsWhole { meaning = .nothing }
            if dice.chance(30) { answer.date = Judge.now + Int64(dice.below(200)) - 100 }
            if dice.chance(20) { answer.retryAfter = .delay(Int64(dice.below(12))) }
            if dice.chance(10) { answer.retryAfter = .date(Judge.now + Int64(dice.below(40)) - 20) }
            if dice.chance(10) { answer.age = Int64(dice.below(3)) }
            return (.answer(answer), meaning)
        }
    }

    /// What the oracle remembers of one run.
    private struct Watched {
        var asked = -1
        /// What the last complete answer meant, until anything else happens.
        var last = Meaning.nothing
        /// Candidates that were refused, by Hanko on an answer that was its own, and confirmed where that is configured.
        var refused = [false, false, false, false]
        /// Requests about candidates that were no replacements.
        var sends = 0
        var freshConnections = 0
        /// Dead connections, and answers that were nobody's.
        var reasonsForFreshOnes = 0
        var onceMore = 0
        var retryRests = 0
        var confirmations = 0
        var keySets = 0
        var keySetStands = false
        var wasCancelled = false
    }

    /// How the runs of a batch ended, to see that the test reaches everything.
    private struct Tally {
        var accepted = 0
        var acceptedLater = 0
        var acceptedAfterRetry = 0
        var acceptedWithReplacement = 0
        var acceptedAfterNobodys = 0
        var refused = 0
        var breakerOpen = 0
        var cancelled = 0
        var notConfirmed = 0
        var confirmed = 0
        var tooLate = 0
        var sessions = 0
        var unbound = 0
        var timeouts = 0
        var joined = 0
        var givenUp = 0
        var rested = 0
        var turnsForKeySets = 0
        var checks = 0
        var checksOK = 0
    }

    /// Several batches, so that all cores have something to do. A batch is the same in every run of the test.
    private static let batches = 10
    private static let runsOfBatch = 40_000

    @Test(arguments: 0..<batches)
    func noRunEndsInAYesThatTheLastCompleteAnswerDidNotGive(_ batch: Int) {
        let hanko = Hanko()
        defer { hanko.free() }
        var breaker = CircuitBreaker()
        var now: Int64 = 1_000_000_000_000
        var tally = Tally()
        for run in 0..<Self.runsOfBatch {
            let seed = UInt64(batch * Self.runsOfBatch + run)
            // The breaker and the time go on from run to run; everything else comes from the seed.
            var run = Run(SeededGenerator(seed: seed), hanko, breaker, now)
            let wrong = run.wrong(&tally)
            (breaker, now) = (run.breaker, run.now)
            if let wrong {
                Issue.record("batch \(batch), seed \(seed): \(wrong)")
                return
            }
        }
        #expect(tally.accepted > 1_000 && tally.refused > 500)
        #expect(tally.acceptedLater > 100 && tally.acceptedAfterRetry > 100 && tally.acceptedWithReplacement > 100)
        #expect(tally.acceptedAfterNobodys > 100 && tally.unbound > 20)
        #expect(tally.breakerOpen > 50 && tally.cancelled > 100 && tally.tooLate > 10 && tally.timeouts > 100)
        #expect(tally.notConfirmed > 50 && tally.confirmed > 50 && tally.sessions > 50)
        #expect(tally.joined > 100 && tally.givenUp > 50 && tally.rested > 50 && tally.turnsForKeySets > 50)
        #expect(tally.checks > 500 && tally.checksOK > 50)
        #expect(breaker.openedCount > 3)
    }

    /// One call from its beginning to its end.
    private struct Run {
        private var dice: SeededGenerator
        private let hanko: Hanko
        private(set) var breaker: CircuitBreaker
        private(set) var now: Int64
        private let purpose: CallProgress.Purpose
        private let candidates: Int
        /// One of the candidates may be a token of the form that Hanko's have.
        private let sessionTokenAt: Int
        private let hasAudience: Bool
        private let configuration: Configuration
        private var call: CallProgress
        private var ledger = CallLedger()
        private var watched = Watched()

        init(_ seeded: SeededGenerator, _ hanko: Hanko, _ breaker: CircuitBreaker, _ begun: Int64) {
            var dice = seeded
            self.hanko = hanko
            self.breaker = breaker
            now = begun &+ Int64(dice.below(200_000_000))
            purpose = dice.chance(8) ? .check : .validation
            candidates = purpose == .check ? 1 : 1 + dice.below(4)
            sessionTokenAt = dice.chance(40) ? dice.below(candidates) : -1
            hasAudience = dice.chance(15)
            var configuration = Configuration()
            configuration.maximumRetries = Int64(dice.below(4))
            configuration.confirmsRejections = dice.chance(50)
            let milliseconds = Int64(1 + dice.below(10_000))
            configuration.timeoutMilliseconds = milliseconds
            self.configuration = configuration
            call = CallProgress(
                purpose, candidateCount: candidates, configuration,
                deadline: Deadline(milliseconds: milliseconds, after: now), wantsSession: dice.chance(10))
            self.dice = dice
            othersUseTheBreaker()
        }

        /// Other threads use the same breaker, in times when Hanko is well and in others.
        private mutating func othersUseTheBreaker() {
            guard dice.chance(30), let permit = breaker.admit(at: now) else { return }
            let outcome: ExchangeOutcome = dice.chance(45) ? .failure : dice.chance(90) ? .success : .nothing
            breaker.settle(permit, outcome, at: now)
        }

        /// Runs to the end.
        ///
        /// - Returns: what is wrong; nil when nothing is.
        mutating func wrong(_ tally: inout Tally) -> String? {
            var step = call.begin()
            for _ in 0..<400 {
                if let wrong = ledger.enter(step, of: purpose) { return wrong }
                if let settlement = step.settlement { breaker.settle(settlement.permit, settlement.outcome, at: now) }
                if case .finish(let reason) = step.next { return end(reason, &tally) }
                if dice.chance(1) {
                    watched.wasCancelled = true
                    watched.last = .nothing
                    step = call.cancelled(dice.chance(50) ? .cancelled : .transport(.processExits))
                    continue
                }
                switch step.next {
                case .takeTurn: step = takeTurn(&tally)
                case .send(let candidate, let fresh):
                    if let wrong = look(at: candidate, fresh) { return wrong }
                    guard let next = send(candidate, fresh) else { return "a token that is refused" }
                    step = next
                case .askForKeySet(let fresh):
                    if purpose == .check, watched.last != .no { return "the key set without a no" }
                    step = askForKeySet(fresh)
                case .confirm(let candidate):
                    if purpose == .check || !configuration.confirmsRejections { return "nobody wants it confirmed" }
                    if candidate != watched.asked || watched.last != .no { return "it confirms what was no rejection" }
                    step = confirm(&tally)
                case .rest(let moment):
                    if moment >= call.deadline.nanoseconds { return "a rest beyond the deadline" }
                    // A "no" that waits for its confirmation is still one.
                    if watched.last != .no {
                        watched.retryRests += 1
                        watched.last = .nothing
                    }
                    now = max(now, moment)
                    step = call.rested()
                case .join: step = join(&tally)
                case .finish: break
                }
            }
            return "it does not end"
        }

        private mutating func takeTurn(_ tally: inout Tally) -> CallStep {
            if watched.last != .no { watched.last = .nothing }
            now &+= Int64(dice.below(5_000_000))
            switch dice.below(100) {
            case 0..<2:
                now = max(now, call.deadline.nanoseconds)
                watched.last = .nothing
                tally.timeouts += 1
                return call.deadlinePassed(now: now)
            case 2:
                watched.last = .nothing
                return call.refused(dice.chance(50) ? .tooManyWaiting : .localShortage, now: now)
            default:
                break
            }
            if call.needsPermit, !breaker.wouldAdmit(at: now), dice.chance(50) {
                tally.breakerOpen += 1
                return call.refused(.breakerOpen, now: now)
            }
            ledger.tookTurn()
            guard call.needsPermit else {
                if call.currentCandidate == nil, purpose == .validation { tally.turnsForKeySets += 1 }
                return call.turnCame(.notNeeded, now: now)
            }
            guard let permit = breaker.admit(at: now) else {
                tally.breakerOpen += 1
                return call.turnCame(.refused, now: now)
            }
            ledger.admitted(permit)
            return call.turnCame(.granted(permit), now: now)
        }

        // MARK: Requests about candidates

        /// - Returns: what is wrong with the request that is next; nil when nothing is.
        private mutating func look(at candidate: Int, _ fresh: Bool) -> String? {
            guard candidate >= 0, candidate < candidates else { return "there is no candidate \(candidate)" }
            if watched.last == .yes { return "it asked on after a yes" }
            if candidate != call.currentCandidate { return "it says another candidate" }
            if fresh {
                watched.freshConnections += 1
                if watched.asked != candidate { return "a fresh connection for another candidate" }
                return nil
            }
            if candidate < watched.asked { return "back to candidate \(candidate)" }
            if candidate > watched.asked + 1 { return "candidate \(candidate) comes too early" }
            watched.asked = candidate
            watched.sends += 1
            return nil
        }

        private mutating func use(_ fresh: Bool) -> ConnectionUse {
            var use = ConnectionUse()
            use.isKept = !fresh && dice.chance(60)
            // A fresh connection never says so; nothing may hang on that here.
            use.isBound = !dice.chance(fresh ? 2 : 8)
            if dice.chance(90) { use.requestID = ReaderOutcome.id }
            return use
        }

        private mutating func send(_ candidate: Int, _ fresh: Bool) -> CallStep? {
            now &+= Int64(dice.below(dice.chance(5) ? 3_000_000_000 : 30_000_000))
            let asksForSession = candidate == sessionTokenAt
            let (end, meaning) = hanko.end(ofAskingFor: asksForSession, hasAudience: hasAudience, &dice)
            let bytes = ByteView((asksForSession ? hanko.sessionToken : hanko.plainTokens[candidate]).bytes)
            guard let token = try? SessionToken(bytes) else { return nil }
            let judgement = Verdict.judge(
                end, token: token, audiences: hasAudience ? [Array("app".utf8)] : [], now: Judge.now,
                wantsSession: call.wantsSession)
            let use = use(fresh)
            let report = ExchangeReport(
                end, judgement, use, retry: call.retryCount, now: Judge.now, random: dice.next())
            // What does not bear its request's id is nobody's yes and nobody's no.
            watched.last = use.isBound ? meaning : .nothing
            if watched.last == .refusal
                || watched.last == .no && (purpose == .check || !configuration.confirmsRejections)
            {
                watched.refused[candidate] = true
            }
            if report.isUnbound, !report.foundDeadConnection { watched.onceMore += 1 }
            if report.isUnbound || report.foundDeadConnection { watched.reasonsForFreshOnes += 1 }
            return call.exchangeEnded(report, now: now)
        }

        // MARK: Confirmations

        private mutating func confirm(_ tally: inout Tally) -> CallStep {
            watched.confirmations += 1
            switch dice.below(100) {
            case 0..<25:
                return used(dice.chance(40) ? .stands : randomResult(), &tally) {
                    $0.decided(.use($1), now: $2)
                }
            case 25..<65:
                let flight = dice.next()
                ledger.began(flight)
                return call.decided(.begin(flight: flight), now: now)
            case 65..<85:
                return call.decided(.join, now: now)
            default:
                tally.rested += 1
                return call.decided(.rest(until: now &+ Int64(dice.below(2_000_000_000))), now: now)
            }
        }

        private mutating func randomResult() -> ConfirmationResult {
            let code = Hanko.statuses[dice.below(Hanko.statuses.count)]
            switch dice.below(5) {
            case 0: return .stands
            case 1: return .outage(code)
            case 2: return .cached
            case 3: return .hidden(code)
            default: return .notShown(code)
            }
        }

        /// The "no" is confirmed, or is not, by what another call has learnt.
        private mutating func used(
            _ result: ConfirmationResult, _ tally: inout Tally,
            _ tell: (inout CallProgress, ConfirmationResult, Int64) -> CallStep
        ) -> CallStep {
            note(result, &tally)
            return tell(&call, result, now)
        }

        private mutating func note(_ result: ConfirmationResult, _ tally: inout Tally) {
            watched.last = .nothing
            guard result.reason == .rejected else { return }
            watched.refused[watched.asked] = true
            tally.confirmed += 1
        }

        private mutating func join(_ tally: inout Tally) -> CallStep {
            tally.joined += 1
            now &+= Int64(dice.below(100_000_000))
            switch dice.below(10) {
            case 0:
                now = max(now, call.deadline.nanoseconds)
                watched.last = .nothing
                tally.timeouts += 1
                return call.deadlinePassed(now: now)
            case 1..<4:
                tally.givenUp += 1
                return call.confirmationEnded(nil, now: now)
            default:
                return used(randomResult(), &tally) { $0.confirmationEnded($1, now: $2) }
            }
        }

        private mutating func askForKeySet(_ fresh: Bool) -> CallStep {
            watched.keySets += 1
            if fresh { watched.freshConnections += 1 }
            now &+= Int64(dice.below(30_000_000))
            let end =
                dice.chance(50) ? Ends.answer(200) : hanko.end(ofAskingFor: false, hasAudience: false, &dice).end
            let use = use(fresh)
            let report = KeySetReport(end, use)
            if report.isUnbound { watched.onceMore += 1 }
            if report.isUnbound || report.foundDeadConnection { watched.reasonsForFreshOnes += 1 }
            // By the status alone, and not by what the library makes of it. A gateway's own bears no id.
            if case .answer(let answer) = end, !answer.isEarly, !answer.headTooLarge, !answer.hasBrokenLength {
                let isShown = answer.status / 100 == 2 && (answer.age ?? 0) == 0 && use.isBound
                let isHidden = [401, 403, 404, 405, 410].contains(answer.status)
                watched.keySetStands = isShown || isHidden
                if isShown || isHidden, purpose == .validation { watched.refused[watched.asked] = true }
            } else {
                watched.keySetStands = false
            }
            let before = watched.last
            watched.last = .nothing
            let step = call.keySetEnded(report, now: now)
            // It goes out once more, for the same "no".
            if case .askForKeySet = step.next { watched.last = before }
            return step
        }

        // MARK: The end

        /// - Returns: what is wrong; nil when nothing is.
        private mutating func end(_ reason: VerdictReason, _ tally: inout Tally) -> String? {
            if (call.session != nil) != (call.wantsSession && reason == .accepted && purpose == .validation) {
                return "a session without a yes, or none with one"
            }
            var over = call
            let again = over.cancelled(.cancelled)
            guard case .finish = again.next, !again.releasesTurn, again.settlement == nil, again.landing == nil else {
                return "it gives back twice"
            }
            if watched.onceMore > 0 { tally.unbound += 1 }
            if let wrong = counted() { return wrong }
            return purpose == .check ? endOfCheck(reason, &tally) : endOfValidation(reason, &tally)
        }

        private func counted() -> String? {
            let retries = Int(configuration.maximumRetries)
            if watched.retryRests > retries { return "\(watched.retryRests) retries of at most \(retries)" }
            if ledger.retries > watched.retryRests { return "\(ledger.retries) retries are counted" }
            if watched.sends > candidates + watched.retryRests { return "\(watched.sends) requests" }
            if watched.freshConnections > watched.reasonsForFreshOnes { return "a fresh connection without a reason" }
            // One for each turn after a dead connection, and one more in all after an answer that was nobody's.
            let keySetTurns = purpose == .check ? 1 : watched.confirmations
            if watched.freshConnections > watched.sends + keySetTurns + 1 {
                return "\(watched.freshConnections) fresh connections"
            }
            return nil
        }

        private func endOfCheck(_ reason: VerdictReason, _ tally: inout Tally) -> String? {
            tally.checks += 1
            if reason.status == .invalidToken { return "a check that is a no" }
            guard reason == .accepted else { return reason.status == .ok ? "another yes" : nil }
            tally.checksOK += 1
            if watched.wasCancelled || watched.keySets == 0 || !watched.refused[0] { return "a check without a no" }
            guard configuration.confirmsRejections, !watched.keySetStands else { return nil }
            return "a check whose key set is not shown"
        }

        private func endOfValidation(_ final: VerdictReason, _ tally: inout Tally) -> String? {
            switch (final.status == .ok, watched.last == .yes) {
            case (true, false): return "accepted, but the last answer was no yes"
            case (false, true): return "the last answer was a yes, but it ended in \(final)"
            default: break
            }
            if watched.wasCancelled, final.status != .cancelled { return "withdrawn, but it ended in \(final)" }
            switch final.status {
            case .ok:
                if final != .accepted { return "\(final) is no yes" }
                tally.accepted += 1
                if watched.asked > 0 { tally.acceptedLater += 1 }
                if watched.retryRests > 0 { tally.acceptedAfterRetry += 1 }
                if watched.freshConnections > 0 { tally.acceptedWithReplacement += 1 }
                if watched.onceMore > 0 { tally.acceptedAfterNobodys += 1 }
                if call.session != nil { tally.sessions += 1 }
            case .invalidToken:
                // A user is logged out only by a verdict on each candidate.
                for candidate in 0..<candidates where !watched.refused[candidate] {
                    return "\(final), but nobody refused candidate \(candidate)"
                }
                tally.refused += 1
            default:
                if watched.refused.prefix(candidates).allSatisfy({ $0 }), !watched.wasCancelled {
                    return "each candidate was refused, but it ended in \(final)"
                }
                if watched.wasCancelled { tally.cancelled += 1 }
                if case .notConfirmed = final { tally.notConfirmed += 1 }
                if case .serverFailed = final, watched.retryRests < configuration.maximumRetries {
                    tally.tooLate += 1
                }
            }
            return nil
        }
    }
}
