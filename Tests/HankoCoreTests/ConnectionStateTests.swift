@testable import HankoCore
import Testing

/// One connection from connecting to closed, without a socket. `ConnectionProbe` sees to it that nothing is sent
/// without a look right before that found nothing.
@Suite struct ConnectionStateTests {
    private typealias Probe = ConnectionProbe
    private typealias Action = ConnectionState.Action

    private static let second: Int64 = 1_000_000_000
    private static let yes = Probe.answer()
    private static let yesBody = #"{"is_valid":true}"#
    private static let ownID = "X-Request-Id: \(ReaderOutcome.id.text)"
    private static let otherID = "X-Request-Id: ffffffffffffffffffffffffffffffff"
    private static let unasked = Probe.End.failure(.unaskedBytes)

    private static func answered(_ status: Int, body: String = "") -> Probe.End {
        .answer(status, body: body, isEarly: false)
    }

    // MARK: The ordinary way

    @Test func anExchangeLooksSendsAndReads() {
        let probe = Probe.opened()
        #expect(probe.mayServe(at: 0) && !probe.isClosed)
        #expect(probe.begin() == .receive)
        #expect(!probe.mayServe(at: 0) && !probe.isKept && !probe.hasSent && probe.requestID == nil)
        #expect(probe.receivedNothing() == .send)
        #expect(probe.unsent == Probe.request)
        #expect(probe.sent(Probe.request.utf8.count) == .wait(.input))
        #expect(probe.hasSent && probe.requestID == ReaderOutcome.id && probe.unsent.isEmpty)
        #expect(probe.ready() == .receive)
        #expect(probe.receivedNothing() == .wait(.input))
        #expect(probe.ready() == .receive)
        #expect(probe.received(Self.yes) == .end)
        #expect(probe.end == Self.answered(200, body: Self.yesBody) && probe.reason == .accepted)
        #expect(!probe.isWindingUp && !probe.isDead && !probe.spokeUnasked)
        #expect(probe.finish())
        #expect(probe.mayServe(at: 0) && !probe.isClosed)
    }

    @Test func aKeptOneServesAgainAndAgain() {
        let probe = Probe.kept()
        for _ in 0..<3 {
            #expect(probe.exchange(Self.yes) == .end)
            #expect(probe.isKept && probe.end == Self.answered(200, body: Self.yesBody))
            #expect(probe.finish())
        }
    }

    @Test func whatWasSaidBeforeIsForgotten() {
        let probe = Probe.kept(after: Probe.answer("429 Slow", "Retry-After: 5", "Age: 7", body: "x"))
        #expect(probe.sendWhole() == .wait(.input))
        #expect(probe.end == Self.answered(0))
        #expect(probe.received("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == .end)
        #expect(probe.end == Self.answered(200))
        let isForgotten = probe.state.withEnd { end in
            guard case .answer(let answer) = end else { return false }
            return answer.retryAfter == nil && answer.age == nil
        }
        #expect(isForgotten)
    }

    @Test func anIdleOneServesForFiftySeconds() {
        let new = Probe.opened(at: 7)
        #expect(new.mayServe(at: 7) && new.mayServe(at: 50 * Self.second + 6))
        #expect(!new.mayServe(at: 50 * Self.second + 7))
        let kept = Probe.kept()
        kept.exchange(Self.yes)
        #expect(kept.finish(at: 100 * Self.second))
        #expect(kept.mayServe(at: 150 * Self.second - 1))
        #expect(!kept.mayServe(at: 150 * Self.second))
    }

    @Test func oneThatIsNotIdleServesNobody() {
        let connecting = Probe()
        #expect(!connecting.mayServe(at: 0))
        #expect(connecting.begin() == .end)
        #expect(connecting.end == .failure(.other(0)) && !connecting.finish())
        let busy = Probe.opened()
        _ = busy.sendWhole()
        #expect(busy.begin() == .end)
        #expect(busy.end == .failure(.other(0)) && !busy.finish() && busy.isClosed)
        let closed = Probe.opened()
        closed.giveUp(.deadline)
        #expect(closed.begin() == .end)
        #expect(!closed.finish())
    }

    @Test func withoutMemoryForTheRequestNothingIsSent() {
        for probe in [Probe.opened(), Probe.kept()] {
            #expect(probe.beginInVain() == .end)
            #expect(probe.end == .failure(.localShortage) && !probe.isDead && probe.requestID == nil)
            #expect(!probe.finish())
        }
    }

    // MARK: The look before the first byte

    @Test(arguments: ["x", "\0", "HTTP/1.1 ", yes, Probe.answer("503 Busy"), "HTTP/1.1 100 Continue\r\n\r\n"])
    func aKeptOneThatSpeaksUnaskedIsDead(_ bytes: String) {
        let probe = Probe.kept()
        _ = probe.begin()
        #expect(probe.received(bytes) == .end)
        #expect(probe.isDead && probe.spokeUnasked && probe.end == Self.unasked)
        #expect(!probe.hasSent && probe.requestID == nil)
        #expect(!probe.finish() && probe.isClosed)
    }

    @Test func aKeptOneThatHasEndedOrBrokenIsDeadAndNobodysFault() {
        for event in [{ (probe: Probe) in probe.receivedEnd() }, { (probe: Probe) in probe.broke() }] {
            let probe = Probe.kept()
            _ = probe.begin()
            #expect(event(probe) == .end)
            #expect(probe.isDead && !probe.spokeUnasked && probe.end == Self.unasked && !probe.finish())
        }
    }

    /// A fresh one cannot be replaced by another fresh one for ever.
    @Test func aFreshOneIsNeverDead() {
        let ended = Probe.opened()
        _ = ended.begin()
        #expect(ended.receivedEnd() == .end)
        #expect(ended.end == .failure(.emptyReply) && !ended.isDead)
        let broken = Probe.opened()
        _ = broken.begin()
        #expect(broken.broke() == .end)
        #expect(broken.end == .failure(.connectionReset) && !broken.isDead)
        let early = Probe.opened()
        _ = early.begin()
        #expect(early.received(Self.yes) == .end)
        #expect(early.end == Self.unasked && !early.isDead && early.spokeUnasked)
    }

    // MARK: Sending

    @Test func eachPieceIsSentAfterALookOfItsOwn() {
        let probe = Probe.kept()
        let request = "0123456789"
        #expect(probe.begin(request) == .receive)
        #expect(probe.receivedNothing() == .send)
        #expect(probe.sent(3) == .receive)
        #expect(probe.unsent == "3456789" && probe.requestID == ReaderOutcome.id)
        #expect(probe.receivedNothing() == .send)
        // The same bytes come again after there was no room for them, and after another look.
        #expect(probe.sentNothing() == .wait(.inputOrOutput))
        #expect(probe.unsent == "3456789")
        #expect(probe.ready() == .receive)
        #expect(probe.receivedNothing() == .send)
        #expect(probe.unsent == "3456789")
        #expect(probe.sent(6) == .receive)
        #expect(probe.receivedNothing() == .send)
        #expect(probe.unsent == "9")
        #expect(probe.sent(1) == .wait(.input))
        #expect(probe.received(Self.yes) == .end)
        #expect(probe.reason == .accepted && probe.finish())
    }

    @Test(arguments: [0, -1, Int.min])
    func aSendThatSendsNothingIsNone(_ count: Int) {
        let probe = Probe.opened()
        _ = probe.begin()
        _ = probe.receivedNothing()
        #expect(probe.sent(count) == .end)
        #expect(probe.end == .failure(.other(0)) && !probe.finish())
    }

    /// What is sent when all of the request has gone out, or before a look, is not ours.
    @Test func nothingIsSentOutOfTurn() {
        let looking = Probe.opened()
        _ = looking.begin()
        #expect(looking.sent(1) == .end)
        let waiting = Probe.opened()
        _ = waiting.sendWhole()
        #expect(waiting.sent(1) == .end)
        for probe in [looking, waiting] { #expect(probe.end == .failure(.other(0)) && !probe.finish()) }
    }

    // MARK: Answers that come too early

    /// A connection on which nothing of the request has been sent, or a part of it; with what has come before it.
    private static func looking(isKept: Bool, sent: Int) -> Probe {
        let probe = isKept ? Probe.kept() : Probe.opened()
        _ = probe.begin()
        if sent > 0 {
            _ = probe.receivedNothing()
            _ = probe.sent(sent)
        }
        return probe
    }

    /// All places but the first byte on a kept connection, which is dead then.
    private static let earlyPlaces: [(isKept: Bool, sent: Int)] = [(false, 0), (false, 5), (true, 5), (true, 35)]

    private static let noRefusals = [
        yes, Probe.answer("200 OK", ownID), Probe.answer("201 Created"), Probe.answer("204 None", body: ""),
        Probe.answer("302 Found", body: ""), "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 304 Same\r\n\r\n",
        Probe.answer("600 Odd"), "x", "\0\0", "HTTP/2 503 Busy\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 400 Bad\r\nContent-Length: x\r\n\r\n",
    ]

    @Test(arguments: noRefusals)
    func nothingThatComesTooEarlyIsAnAnswerButARefusal(_ bytes: String) {
        for (isKept, sent) in Self.earlyPlaces {
            let probe = Self.looking(isKept: isKept, sent: sent)
            #expect(probe.received(bytes) == .end, "\(isKept) \(sent)")
            #expect(probe.end == Self.unasked && probe.spokeUnasked && !probe.isDead, "\(isKept) \(sent)")
            #expect(probe.hasSent == (sent > 0) && probe.isKept == isKept, "\(isKept) \(sent)")
            #expect(!probe.finish() && probe.isClosed)
        }
    }

    @Test(arguments: [400, 401, 403, 404, 408, 413, 425, 429, 431, 499, 500, 502, 503, 504, 599])
    func aRefusalThatComesTooEarlyMayEndTheCallButNeverAsANo(_ status: Int) {
        let token = Array(repeating: UInt8(ascii: "a"), count: 20_000)
        for body in ["", #"{"code":400,"message":"failed to parse token claims"}"#, Self.yesBody] {
            for (isKept, sent) in Self.earlyPlaces {
                let probe = Self.looking(isKept: isKept, sent: sent)
                #expect(probe.received(Probe.answer("\(status) X", Self.ownID, body: body)) == .end)
                let end = Probe.End.answer(status, body: status == 400 ? body : "", isEarly: true)
                #expect(probe.end == end && probe.spokeUnasked)
                let expected = ExchangeMeaning.of(status: status).reason == .serverFailed
                for token in [token, Array("short".utf8)] {
                    let reason = withBytes(token) { bytes in
                        probe.state.withEnd { end in
                            (try? SessionToken(bytes)).map {
                                Verdict.judge(end, token: $0, audiences: [], now: Judge.now, wantsSession: false).reason
                            }
                        }
                    }
                    #expect(reason == (expected ? .serverFailed(status) : .wrongAddress(status)))
                }
                #expect(!probe.finish() && probe.isClosed)
            }
        }
    }

    @Test func aRefusalMayArriveInPiecesAndIsWaitedForBriefly() {
        for (isKept, sent) in Self.earlyPlaces {
            let probe = Self.looking(isKept: isKept, sent: sent)
            #expect(probe.received("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 5") == .receive)
            #expect(probe.isWindingUp)
            #expect(probe.receivedNothing() == .wait(.input))
            #expect(probe.ready() == .receive)
            #expect(probe.received("03 Busy\r\n\r\n") == .end)
            #expect(probe.end == .answer(503, body: "", isEarly: true) && !probe.finish())
        }
    }

    /// Its body is not waited for.
    @Test(arguments: [413, 429, 503])
    func aRefusalIsKnownByItsHead(_ status: Int) {
        for (isKept, sent) in Self.earlyPlaces {
            for field in ["Content-Length: 100", "Transfer-Encoding: chunked", "A: until-close"] {
                let probe = Self.looking(isKept: isKept, sent: sent)
                #expect(probe.received("HTTP/1.1 \(status) X\r\n\(field)\r\n\r\n") == .end)
                #expect(probe.end == .answer(status, body: "", isEarly: true) && !probe.finish())
            }
        }
    }

    @Test func halfARefusalIsNone() {
        let events: [(Probe) -> Action] = [{ $0.receivedEnd() }, { $0.broke() }, { $0.windUp() }]
        for half in ["H", "HTTP/1.1 503 Bu", "HTTP/1.1 503 Busy\r\nA: b\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
            for event in events {
                for (isKept, sent) in Self.earlyPlaces {
                    let probe = Self.looking(isKept: isKept, sent: sent)
                    #expect(probe.received(half) == .receive, "\(half)")
                    #expect(event(probe) == .end)
                    #expect(probe.end == Self.unasked && !probe.finish(), "\(half)")
                }
            }
        }
    }

    @Test func anEndInTheMiddleOfARequestIsNoAnswer() {
        for isKept in [false, true] {
            let ended = Self.looking(isKept: isKept, sent: 5)
            #expect(ended.receivedEnd() == .end)
            #expect(ended.end == .failure(.emptyReply) && !ended.isDead && !ended.finish())
            let broken = Self.looking(isKept: isKept, sent: 5)
            #expect(broken.broke() == .end)
            #expect(broken.end == .failure(.connectionReset) && !broken.isDead && !broken.finish())
        }
    }

    // MARK: Requests that cannot be sent

    /// A connection on which sending has failed.
    private static func failed(isKept: Bool, sent: Int) -> Probe {
        let probe = looking(isKept: isKept, sent: sent)
        _ = probe.receivedNothing()
        let action = probe.sendFailed()
        #expect(action == .receive && probe.isWindingUp)
        return probe
    }

    @Test func withoutAnAnswerBehindItAFailedSendIsAReset() {
        let events: [(Probe) -> Action] = [{ $0.receivedNothing() }, { $0.receivedEnd() }, { $0.broke() }]
        for event in events {
            for (isKept, sent) in Self.earlyPlaces + [(true, 0)] {
                let probe = Self.failed(isKept: isKept, sent: sent)
                #expect(event(probe) == .end)
                #expect(probe.end == .failure(.connectionReset) && !probe.spokeUnasked && !probe.finish())
                #expect((probe.requestID != nil) == (sent > 0))
            }
        }
    }

    @Test func aRefusalBehindAFailedSendIsRead() {
        for (isKept, sent) in Self.earlyPlaces + [(true, 0)] {
            let probe = Self.failed(isKept: isKept, sent: sent)
            #expect(probe.received("HTTP/1.1 413 Lo") == .receive)
            #expect(probe.receivedNothing() == .wait(.input))
            #expect(probe.ready() == .receive)
            #expect(probe.received("ng\r\nContent-Length: 5\r\n\r\nlarge") == .end)
            #expect(probe.end == .answer(413, body: "", isEarly: true) && probe.reason == .wrongAddress(413))
            #expect(!probe.finish())
        }
    }

    @Test(arguments: noRefusals)
    func nothingElseBehindAFailedSendIsAnAnswer(_ bytes: String) {
        for (isKept, sent) in Self.earlyPlaces + [(true, 0)] {
            let probe = Self.failed(isKept: isKept, sent: sent)
            #expect(probe.received(bytes) == .end)
            #expect(probe.end == Self.unasked && !probe.finish())
        }
    }

    @Test func nobodyWaitsLongBehindAFailedSend() {
        let probe = Self.failed(isKept: true, sent: 5)
        #expect(probe.windUp() == .end)
        #expect(probe.end == Self.unasked && !probe.finish())
    }

    // MARK: The answer

    private static let answers: [(String, isKept: Bool)] = [
        (yes, true),
        (Probe.answer("200 OK", ownID), true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\nA: b\r\n\r\n", true),
        ("HTTP/1.1 100 Continue\r\n\r\n" + yes, true),
        (Probe.answer("503 Busy", "Retry-After: 3", body: "busy"), true),
        ("HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nslow\r\n0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", false),
        (Probe.answer("200 OK", "Content-Encoding: gzip"), false),
    ]

    @Test(arguments: answers.indices)
    func howAnAnswerIsCutMakesNoDifference(_ index: Int) {
        let (wire, isKept) = Self.answers[index]
        let bytes = Array(wire.utf8)
        let whole = Probe.kept()
        #expect(whole.exchange(wire) == .end)
        let (end, reason) = (whole.end, whole.reason)
        #expect(whole.finish() == isKept)
        for cut in 1..<bytes.count {
            let probe = Probe.kept()
            _ = probe.sendWhole()
            _ = probe.ready()
            for piece in [bytes[..<cut], bytes[cut...]] {
                // Nobody receives behind the end.
                guard probe.received(Array(piece)) == .receive else { break }
                #expect(probe.receivedNothing() == .wait(.input))
                #expect(probe.ready() == .receive)
            }
            #expect(probe.end == end && probe.reason == reason, "\(cut)")
            #expect(probe.finish() == isKept, "\(cut)")
        }
    }

    @Test func anEndOrABreakWithinAnAnswerIsNamed() {
        for (half, end, broken) in [
            ("", .emptyReply, .connectionReset), ("H", .connectionLost, .connectionLost),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", .connectionLost, .connectionLost),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .bodyCutShort, .connectionLost),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .bodyCutShort, .connectionLost),
        ] as [(String, TransportFailure, TransportFailure)] {
            for isKept in [false, true] {
                let ended = isKept ? Probe.kept() : Probe.opened()
                if half.isEmpty { _ = ended.sendWhole() } else { #expect(ended.exchange(half) == .receive) }
                #expect(ended.receivedEnd() == .end)
                #expect(ended.end == .failure(end) && !ended.isDead && !ended.finish(), "\(half)")
                let lost = isKept ? Probe.kept() : Probe.opened()
                if half.isEmpty { _ = lost.sendWhole() } else { #expect(lost.exchange(half) == .receive) }
                #expect(lost.broke() == .end)
                #expect(lost.end == .failure(broken) && !lost.isDead && !lost.finish(), "\(half)")
            }
        }
    }

    @Test func anAnswerUpToTheEndOfItsConnectionIsOneAndKeepsNothing() {
        let probe = Probe.opened()
        #expect(probe.exchange("HTTP/1.1 200 OK\r\n\r\n" + Self.yesBody) == .receive)
        #expect(probe.receivedEnd() == .end)
        #expect(probe.end == Self.answered(200, body: Self.yesBody) && !probe.finish())
        let broken = Probe.opened()
        broken.exchange("HTTP/1.1 200 OK\r\n\r\n" + Self.yesBody)
        #expect(broken.broke() == .end)
        #expect(broken.end == .failure(.connectionLost) && !broken.finish())
    }

    @Test(
        arguments: [
            ("SSH-2.0\r\n", .failure(.notHTTP)), ("HTTP/2 200\r\n\r\n", .failure(.notHTTP)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .failure(.notHTTP)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n", .answer(200, body: "", isEarly: false)),
        ] as [(String, ConnectionProbe.End)])
    func whatBreaksARuleEndsTheConnection(_ wire: String, _ end: ConnectionProbe.End) {
        let probe = Probe.opened()
        #expect(probe.exchange(wire) == .end)
        #expect(probe.end == end && probe.reason.status == .protocolError)
        #expect(!probe.finish() && probe.isClosed)
    }

    // MARK: The rest of a body that nobody needs

    private static func resting() -> Probe {
        let probe = Probe.opened()
        let action = probe.exchange("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nbusy")
        #expect(action == .receive && probe.isWindingUp)
        return probe
    }

    @Test func theRestOfABodyIsReadForTheConnection() {
        let probe = Self.resting()
        #expect(probe.receivedNothing() == .wait(.input))
        #expect(probe.ready() == .receive)
        #expect(probe.received("12345") == .receive)
        #expect(probe.received("6") == .end)
        #expect(probe.end == Self.answered(503) && probe.finish())
    }

    @Test func withoutTheRestTheAnswerStandsAndTheConnectionIsClosed() {
        let events: [(Probe) -> Action] = [{ $0.windUp() }, { $0.receivedEnd() }, { $0.broke() }]
        for event in events {
            let probe = Self.resting()
            #expect(event(probe) == .end)
            #expect(probe.end == Self.answered(503) && probe.reason == .serverFailed(503))
            #expect(!probe.finish() && probe.isClosed)
        }
    }

    @Test(arguments: ["Content-Length: 16385", "A: until-close", "Connection: close\r\nContent-Length: 5"])
    func aRestThatIsTooLongOrKeepsNothingIsNotReadAtAll(_ field: String) {
        let probe = Probe.opened()
        #expect(probe.exchange("HTTP/1.1 503 Busy\r\n\(field)\r\n\r\n") == .end)
        #expect(probe.end == Self.answered(503) && !probe.finish())
    }

    // MARK: Kept or closed

    private static let hankos400 = #"{"code":400,"message":"failed to parse token claims"}"#

    @Test(
        arguments: [
            (Probe.answer("204 None", body: ""), true), ("HTTP/1.1 204 None\r\n\r\n", true),
            ("HTTP/1.1 304 Same\r\n\r\n", true), (Probe.answer("302 Found"), true),
            ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", false), (Probe.answer("400 Bad", body: hankos400), true),
            (Probe.answer("400 Bad", body: #"{"message":"unexpected EOF","code":400}"#), true),
            (Probe.answer("400 Bad", body: #"{"code":400}"#), false),
            (Probe.answer("400 Bad", body: #"{"code":401,"message":"x"}"#), false),
            (Probe.answer("400 Bad", body: "<html>"), false), (Probe.answer("400 Bad", body: ""), false),
            (Probe.answer("400 Bad", "Content-Encoding: gzip", body: hankos400), false),
        ] as [(String, Bool)])
    func theShapeOfAnAnswerDecides(_ wire: String, _ isKept: Bool) {
        let probe = Probe.opened()
        #expect(probe.exchange(wire) == .end)
        #expect(probe.finish() == isKept)
        #expect(probe.isClosed == !isKept && probe.mayServe(at: 0) == isKept && !probe.spokeUnasked)
    }

    @Test func whoeverReadAnAnswerToItsEndKeepsItsConnectionAsTheTableSays() {
        for status in 200...999 where status != 204 && status != 304 {
            let probe = Probe.opened()
            #expect(probe.exchange(Probe.answer("\(status) X", body: Self.hankos400)) == .end)
            #expect(probe.end == Self.answered(status, body: [200, 400].contains(status) ? Self.hankos400 : ""))
            let closes = [408, 413, 431].contains(status) || status >= 600
            #expect(probe.finish() == !closes, "\(status)")
        }
    }

    @Test(arguments: [
        Probe.answer("200 OK", "Connection: close"), Probe.answer("200 OK", "connection: keep-alive, Close"),
        Probe.answer().replacing("HTTP/1.1", with: "HTTP/1.0"),
        Probe.answer("200 OK", "Connection: keep-alive").replacing("HTTP/1.1", with: "HTTP/1.0"),
    ])
    func theServerMayCloseItAndTheAnswerStands(_ wire: String) {
        let probe = Probe.opened()
        #expect(probe.exchange(wire) == .end)
        #expect(probe.reason == .accepted && !probe.finish() && !probe.spokeUnasked)
    }

    @Test(arguments: ["x", "\r\n", yes])
    func surplusClosesItWheneverItComesAndTheAnswerStands(_ surplus: String) {
        for wire in [Self.yes, Self.answers[2].0] {
            let together = Probe.opened()
            #expect(together.exchange(wire + surplus) == .end)
            let apart = Probe.opened()
            #expect(apart.exchange(wire) == .end)
            #expect(together.end == apart.end)
            #expect(!together.finish() && together.spokeUnasked && together.isClosed)
            // What comes later is found by the next look.
            #expect(apart.finish() && !apart.spokeUnasked)
            _ = apart.begin()
            #expect(apart.received(surplus) == .end)
            #expect(apart.isDead && apart.spokeUnasked && !apart.finish())
        }
        let unneeded = Self.resting()
        #expect(unneeded.received("123456" + surplus) == .end)
        #expect(unneeded.end == Self.answered(503) && !unneeded.finish() && unneeded.spokeUnasked)
    }

    @Test func whatIsNotFinishedIsNotKept() {
        let probe = Probe.opened()
        #expect(!probe.finish() && probe.isClosed)
        let connecting = Probe()
        #expect(!connecting.finish())
        for probe in [Self.looking(isKept: true, sent: 0), Self.looking(isKept: true, sent: 5)] {
            #expect(!probe.finish() && probe.isClosed)
        }
        let sending = Self.looking(isKept: true, sent: 0)
        _ = sending.receivedNothing()
        #expect(!sending.finish())
        let waiting = Probe.kept()
        _ = waiting.sendWhole()
        #expect(!waiting.finish())
        let half = Probe.opened()
        half.exchange("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")
        #expect(!half.finish())
    }

    // MARK: Whose answer it is

    /// A connection after these answers, and a last one under way.
    private static func asked(_ answers: [String], _ last: String) -> Probe {
        let probe = Probe.opened()
        for answer in answers {
            probe.exchange(answer)
            let isKept = probe.finish()
            #expect(isKept)
        }
        probe.exchange(last)
        return probe
    }

    private static let own = Probe.answer("200 OK", ownID)
    private static let other = Probe.answer("200 OK", otherID)
    private static let both = Probe.answer("200 OK", otherID, ownID)
    private static let busy = Probe.answer("503 Busy", body: "")

    @Test(
        arguments: [
            // The first answer of all may bear what it likes.
            ([], yes, true), ([], own, true), ([], other, true),
            // The first decides.
            ([own], own, true), ([own], both, true), ([own], yes, false), ([own], other, false), ([own], busy, false),
            ([both], yes, false), ([yes], yes, true), ([yes], own, true), ([yes], other, true), ([other], other, true),
            // And no later one.
            ([yes, own], yes, true), ([yes, own], other, true), ([own, own], yes, false),
            // A gateway's own error bears none and decides nothing; with the id it was Hanko.
            ([busy], yes, true), ([busy], own, true), ([busy, own], yes, false), ([busy, yes, own], yes, true),
            ([own, busy], yes, false), ([own, busy], own, true), ([Probe.answer("503 Busy", ownID)], yes, false),
            ([Probe.answer("404 None", ownID, body: "")], other, false),
            ([Probe.answer("404 None", otherID)], yes, true),
            ([Probe.answer("204 None", body: ""), own], yes, false),
        ] as [([String], String, Bool)])
    func theFirstAnswerDecidesWhetherTheOthersMustBearTheirIds(_ before: [String], _ last: String, _ isBound: Bool) {
        #expect(Self.asked(before, last).isBound == isBound)
    }

    /// Before the answer is there, nothing is said of it.
    @Test func theIdIsOfTheRequestUnderWay() {
        let probe = Probe.kept(after: Self.own)
        _ = probe.begin()
        #expect(probe.requestID == nil)
        _ = probe.receivedNothing()
        _ = probe.sent(1)
        #expect(probe.requestID == ReaderOutcome.id)
    }

    // MARK: Giving up

    @Test func whateverIsUnderWayCanBeGivenUp() {
        let probes = [
            Probe(), Probe.opened(), Probe.kept(), Self.looking(isKept: false, sent: 0),
            Self.looking(isKept: true, sent: 5), Self.failed(isKept: true, sent: 5), Self.resting(),
        ]
        for failure in [TransportFailure.deadline, .processExits] {
            for probe in probes {
                probe.giveUp(failure)
                #expect(probe.end == .failure(failure) && probe.isClosed)
                #expect(probe.ready() == .end)
                #expect(!probe.finish())
            }
        }
        let answered = Probe.opened()
        answered.exchange(Self.yes)
        answered.giveUp(.deadline)
        #expect(answered.end == .failure(.deadline) && !answered.finish())
    }

    @Test func aShortageIsNamedWhereverItComes() {
        let probes = [
            Self.looking(isKept: false, sent: 0), Self.looking(isKept: true, sent: 0),
            Self.looking(isKept: true, sent: 5), Self.failed(isKept: true, sent: 5), Self.resting(),
        ]
        for probe in probes {
            #expect(probe.lacksMemory() == .end)
            #expect(probe.end == .failure(.localShortage) && !probe.isDead && !probe.finish())
        }
    }

    /// Where nobody receives or sends, what is told all the same makes no answer, sends nothing and keeps nothing.
    @Test func whatCannotHappenDoesNoHarm() {
        let events: [(String, (Probe) -> Action)] = [
            ("bytes", { $0.received(Self.yes) }), ("nothing", { $0.receivedNothing() }), ("end", { $0.receivedEnd() }),
            ("break", { $0.broke() }), ("sent", { $0.sent(1) }), ("no room", { $0.sentNothing() }),
            ("failed", { $0.sendFailed() }), ("wound up", { $0.windUp() }), ("ready", { $0.ready() }),
        ]
        let places: [(String, () -> Probe)] = [
            ("connecting", { Probe() }),
            ("idle", { Probe.opened() }),
            ("kept", { Probe.kept() }),
            (
                "sending",
                {
                    let probe = Self.looking(isKept: true, sent: 5)
                    _ = probe.receivedNothing()
                    return probe
                }
            ),
            (
                "closed",
                {
                    let probe = Probe.opened()
                    probe.giveUp(.deadline)
                    return probe
                }
            ),
        ]
        for (place, make) in places {
            for (first, event) in events {
                for (second, another) in events {
                    let probe = make()
                    _ = event(probe)
                    _ = another(probe)
                    let happened = "\(place): \(first), \(second)"
                    #expect(probe.reason.status != .ok && probe.reason.status != .invalidToken, "\(happened)")
                    #expect(!probe.finish(), "\(happened)")
                }
            }
        }
    }

    // MARK: Secrets

    @Test func afterTheExchangeNothingOfItIsLeft() throws {
        let request = "POST / HTTP/1.1\r\n\r\n" + String(repeating: "secret", count: 100)
        let body = #"{"is_valid":true,"user_id":"somebody"}"#
        let probe = Probe.opened()
        _ = probe.begin(request)
        let sent = try #require(probe.state.withUnsent { $0.start })
        _ = probe.receivedNothing()
        _ = probe.sent(request.utf8.count)
        #expect(probe.received(Probe.answer(body: body)) == .end)
        let found = probe.state.withEnd { end -> UnsafePointer<UInt8>? in
            guard case .answer(let answer) = end else { return nil }
            return answer.body.start
        }
        let received = try #require(found)
        #expect(received[2] == UInt8(ascii: "i") && sent[0] == UInt8(ascii: "P"))
        #expect(probe.finish())
        // The connection keeps both buffers, so that they can be looked at.
        #expect((0..<request.utf8.count).allSatisfy { sent[$0] == 0 })
        #expect((0..<body.utf8.count).allSatisfy { received[$0] == 0 })
        #expect(probe.unsent.isEmpty)
        #expect(probe.end == Self.answered(200))
    }

    @Test func whatFailedLeavesNothingEither() throws {
        let request = "POST / HTTP/1.1\r\n\r\n" + String(repeating: "secret", count: 100)
        let probe = Probe.opened()
        _ = probe.begin(request)
        let sent = try #require(probe.state.withUnsent { $0.start })
        _ = probe.receivedNothing()
        #expect(probe.sendFailed() == .receive)
        #expect(probe.broke() == .end)
        #expect(!probe.finish())
        #expect((0..<request.utf8.count).allSatisfy { sent[$0] == 0 })
    }
}
