@testable import HankoCore
import Testing

/// The property that everything rests on: whatever surrounds the verdict can only weaken it. Random faults, answers,
/// retries, breaker states, pauses, confirmations and cancellations drive a call, and an oracle that knows only what the
/// made-up Hanko meant watches how it ends.
@Suite struct ValidationCallPropertyTests {
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
            switch dice.below(30) {
            case 0: answer.headTooLarge = true
            case 1: answer.bodyTooLarge = true
            case 2: answer.contentLengthsDiffer = true
            default: break
            }
            if answer.headTooLarge || answer.bodyTooLarge || answer.contentLengthsDiffer { meaning = .nothing }
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
        /// Candidates that were refused, by Hanko or without asking, and confirmed where that is configured.
        var refused = [false, false, false, false]
        var sends = 0
        var replacements = 0
        var pauses = 0
        var confirmations = 0
    }

    /// How the runs of a batch ended, to see that the test reaches everything.
    private struct Tally {
        var accepted = 0
        var acceptedLater = 0
        var acceptedAfterRetry = 0
        var acceptedWithReplacement = 0
        var refused = 0
        var breakerOpen = 0
        var cancelled = 0
        var notConfirmed = 0
        var confirmed = 0
        var tooLate = 0
        var sessions = 0
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
            if let wrong = Self.run(SeededGenerator(seed: seed), hanko, &breaker, &now, &tally) {
                Issue.record("batch \(batch), run \(run), seed \(seed): \(wrong)")
                return
            }
        }
        #expect(tally.accepted > 1_000 && tally.refused > 500)
        #expect(tally.acceptedLater > 100 && tally.acceptedAfterRetry > 100 && tally.acceptedWithReplacement > 100)
        #expect(tally.breakerOpen > 50 && tally.cancelled > 100 && tally.tooLate > 10)
        #expect(tally.notConfirmed > 50 && tally.confirmed > 50 && tally.sessions > 50)
        #expect(breaker.openedCount > 3)
    }

    /// - Returns: what is wrong with it; nil when nothing is.
    private static func run(
        _ seeded: SeededGenerator, _ hanko: Hanko, _ breaker: inout CircuitBreaker, _ now: inout Int64,
        _ tally: inout Tally
    ) -> String? {
        var dice = seeded
        let candidates = 1 + dice.below(4)
        // One of the candidates may be a token of the form that Hanko's have.
        let sessionTokenAt = dice.chance(40) ? dice.below(candidates) : -1
        let hasAudience = dice.chance(15)
        let wantsSession = dice.chance(10)
        var configuration = Configuration()
        configuration.maximumRetries = Int64(dice.below(4))
        configuration.confirmsRejections = dice.chance(40)
        now &+= Int64(dice.below(200_000_000))
        let deadline = Deadline(milliseconds: Int64(1 + dice.below(10_000)), after: now)
        var call = ValidationCall(
            candidateCount: candidates, maximumRetries: configuration.maximumRetries,
            confirmsRejections: configuration.confirmsRejections, deadline: deadline)

        // Other threads use the same breaker, in times when Hanko is well and in others.
        if dice.chance(30) {
            let outcome: ExchangeOutcome = dice.chance(45) ? .failure : dice.chance(90) ? .success : .nothing
            if let permit = breaker.admit(at: now) { breaker.settle(permit, outcome, at: now) }
        }

        var watched = Watched()
        var permit: CircuitBreaker.Permit?
        var outcome = ExchangeOutcome.nothing
        var session: Session?
        var action = call.begin()
        var final: VerdictReason?
        var steps = 0
        while final == nil {
            steps += 1
            if steps > 64 { return "it does not end" }
            switch action {
            case .send(let candidate, let replacing):
                guard candidate >= 0, candidate < candidates else { return "there is no candidate \(candidate)" }
                if watched.last == .yes { return "it asked on after a yes" }
                if replacing {
                    watched.replacements += 1
                    if watched.asked != candidate { return "a replacement for another candidate" }
                } else {
                    if candidate < watched.asked { return "back to candidate \(candidate)" }
                    if candidate > watched.asked + 1 { return "candidate \(candidate) comes too early" }
                    watched.asked = candidate
                    watched.last = .nothing
                    if dice.chance(2) {
                        watched.refused[candidate] = true
                        action = call.judged(.tokenTooLong)
                        continue
                    }
                    guard let admitted = breaker.admit(at: now) else {
                        final = .transport(.breakerOpen)
                        tally.breakerOpen += 1
                        continue
                    }
                    permit = admitted
                    watched.sends += 1
                }
                watched.last = .nothing
                session = nil
                now &+= Int64(dice.below(dice.chance(5) ? 3_000_000_000 : 30_000_000))
                let asksForSession = candidate == sessionTokenAt
                let (end, meaning) = hanko.end(ofAskingFor: asksForSession, hasAudience: hasAudience, &dice)
                let token = ByteView((asksForSession ? hanko.sessionToken : hanko.plainTokens[candidate]).bytes)
                guard let token = try? SessionToken(token) else { return "a token that is refused" }
                let judgement = Verdict.judge(
                    end, token: token, audiences: hasAudience ? [Array("app".utf8)] : [], now: Judge.now,
                    wantsSession: wantsSession)
                session = judgement.session
                if (session != nil) != (wantsSession && judgement.reason == .accepted) { return "a session too many" }
                let answerBegan = dice.chance(50)
                let report = ExchangeReport(
                    reason: judgement.reason,
                    retry: RetryPolicy.advice(
                        after: end, answerBegan: answerBegan, retry: call.retryCount, now: Judge.now,
                        random: dice.next()),
                    foundDeadConnection: ExchangeReport.isDeadConnection(
                        end, usedKeptConnection: dice.chance(60), answerBegan: answerBegan))
                watched.last = meaning
                if meaning == .refusal || meaning == .no && !configuration.confirmsRejections {
                    watched.refused[candidate] = true
                }
                outcome = ExchangeOutcome(end, hadTime: dice.chance(50))
                action = call.ended(report, now: now)
                switch action {
                case .send(_, replacingConnection: true), .confirm: break
                default:
                    if let held = permit { breaker.settle(held, outcome, at: now) }
                    permit = nil
                }
            case .pause(let nanoseconds):
                watched.pauses += 1
                watched.last = .nothing
                if now &+ nanoseconds >= deadline.nanoseconds { return "a pause beyond the deadline" }
                now &+= nanoseconds
                // Somebody withdraws the call, or the process exits.
                action = dice.chance(5) ? call.judged(.transport(.processExits)) : call.paused()
            case .confirm(let candidate):
                watched.confirmations += 1
                if !configuration.confirmsRejections { return "it confirms though nobody wants that" }
                if candidate != watched.asked || watched.last != .no { return "it confirms what was no rejection" }
                let end =
                    dice.chance(50)
                    ? Ends.answer(200) : hanko.end(ofAskingFor: false, hasAudience: false, &dice).end
                let result = ConfirmationResult(end)
                switch result {
                case .stands, .hidden:
                    watched.refused[candidate] = true
                    tally.confirmed += 1
                case .outage, .cached, .notShown: break
                }
                watched.last = .nothing
                if let held = permit { breaker.settle(held, result == .outage(0) ? .failure : .success, at: now) }
                permit = nil
                action = call.confirmed(result)
            case .askForKeySet:
                return "that is for the start-up test alone"
            case .finish(let reason):
                final = reason
            }
        }
        guard let final else { return "no end" }
        if permit != nil { return "an exchange was not settled" }
        return verify(final, watched, candidates, configuration, session, &tally)
    }

    /// - Returns: what is wrong; nil when nothing is.
    private static func verify(
        _ final: VerdictReason, _ watched: Watched, _ candidates: Int, _ configuration: Configuration,
        _ session: Session?, _ tally: inout Tally
    ) -> String? {
        let retries = Int(configuration.maximumRetries)
        if watched.pauses > retries { return "\(watched.pauses) retries of at most \(retries)" }
        if watched.sends > candidates + watched.pauses { return "\(watched.sends) requests" }
        if watched.replacements > watched.sends { return "\(watched.replacements) replacements" }
        if watched.confirmations > candidates { return "\(watched.confirmations) confirmations" }
        switch (final.status == .ok, watched.last == .yes) {
        case (true, false): return "accepted, but the last answer was no yes"
        case (false, true): return "the last answer was a yes, but it ended in \(final)"
        default: break
        }
        switch final.status {
        case .ok:
            if final != .accepted { return "\(final) is no yes" }
            tally.accepted += 1
            if watched.asked > 0 { tally.acceptedLater += 1 }
            if watched.pauses > 0 { tally.acceptedAfterRetry += 1 }
            if watched.replacements > 0 { tally.acceptedWithReplacement += 1 }
            if session != nil { tally.sessions += 1 }
        case .invalidToken:
            // A user is logged out only by a verdict on each candidate.
            for candidate in 0..<candidates where !watched.refused[candidate] {
                return "\(final), but nobody refused candidate \(candidate)"
            }
            tally.refused += 1
        default:
            if watched.refused.prefix(candidates).allSatisfy({ $0 }) {
                return "each candidate was refused, but it ended in \(final)"
            }
            if final.status == .cancelled { tally.cancelled += 1 }
            if case .notConfirmed = final { tally.notConfirmed += 1 }
            if case .serverFailed = final, watched.pauses < retries { tally.tooLate += 1 }
        }
        return nil
    }
}
