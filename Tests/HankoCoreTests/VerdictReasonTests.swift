import HankoCore
import Testing

extension TransportFailure {
    /// Each failure and the status that it has.
    static let samples: [(TransportFailure, Status)] = [
        (.deadline, .timeout),
        (.resolve, .unavailable),
        (.connect, .unavailable),
        (.connectTimeout, .unavailable),
        (.proxy, .unavailable),
        (.certificate, .unavailable),
        (.tls, .unavailable),
        (.certificateFile, .misconfigured),
        (.connectionLost, .unavailable),
        (.emptyReply, .unavailable),
        (.bodyCutShort, .unavailable),
        (.notHTTP, .protocolError),
        (.unaskedBytes, .unavailable),
        (.localShortage, .unavailable),
        (.tooManyWaiting, .unavailable),
        (.unusableLibrary(48), .misconfigured),
        (.other(99), .unavailable),
        (.processExits, .cancelled),
        (.breakerOpen, .unavailable),
        (.queueFull, .unavailable),
        (.connectionReset, .unavailable),
        (.proxyRefused(407), .unavailable),
    ]

    /// The place in `samples`; a new case does not compile until it is there.
    fileprivate var place: Int {
        switch self {
        case .deadline: 0
        case .resolve: 1
        case .connect: 2
        case .connectTimeout: 3
        case .proxy: 4
        case .certificate: 5
        case .tls: 6
        case .certificateFile: 7
        case .connectionLost: 8
        case .emptyReply: 9
        case .bodyCutShort: 10
        case .notHTTP: 11
        case .unaskedBytes: 12
        case .localShortage: 13
        case .tooManyWaiting: 14
        case .unusableLibrary: 15
        case .other: 16
        case .processExits: 17
        case .breakerOpen: 18
        case .queueFull: 19
        case .connectionReset: 20
        case .proxyRefused: 21
        }
    }
}

extension VerdictReason {
    /// Each reason, with the status and the HTTP code that it has.
    fileprivate static let samples: [(VerdictReason, Status, Int)] = [
        (.accepted, .ok, 200),
        (.rejected, .invalidToken, 200),
        (.claimsUnreadable, .invalidToken, 400),
        (.audienceMismatch, .invalidToken, 200),
        (.tokenRefusedForLength(413), .invalidToken, 413),
        (.noToken, .noToken, 0),
        (.tokenTooLong, .invalidToken, 0),
        (.tokenNotUTF8, .invalidToken, 0),
        (.serverFailed(503), .unavailable, 503),
        (.wrongAddress(404), .misconfigured, 404),
        (.clockOff(seconds: 90), .misconfigured, 200),
        (.headTooLarge, .protocolError, 0),
        (.bodyTooLarge, .protocolError, 200),
        (.brokenLength, .protocolError, 200),
        (.notJSON(position: 7), .protocolError, 200),
        (.notObject, .protocolError, 200),
        (.noVerdict, .protocolError, 200),
        (.userUnusable, .protocolError, 200),
        (.textUnusable, .protocolError, 200),
        (.otherToken, .protocolError, 200),
        (.expiryUnreadable, .protocolError, 200),
        (.expired(secondsAgo: 61), .protocolError, 200),
        (.unexpectedStatus(204), .protocolError, 204),
        (.transport(.resolve), .unavailable, 0),
        (.tokenHoldsNUL, .invalidToken, 0),
        (.headerHoldsNUL, .invalidToken, 0),
        (.notConfirmed(500), .unavailable, 500),
        (.keySetNotShown(403), .misconfigured, 403),
        (.acceptsAnything, .misconfigured, 0),
        (.cancelled, .cancelled, 0),
        (.keySetCached, .unavailable, 200),
        (.audienceUnknown, .invalidToken, 200),
        (.tokenBlank, .invalidToken, 0),
        (.tokenNotCanonical, .invalidToken, 0),
        (.encodedBody, .protocolError, 200),
        (.unboundAnswer, .protocolError, 200),
    ]

    /// The place in `samples`; a new case does not compile until it is there.
    fileprivate var place: Int {
        switch self {
        case .accepted: 0
        case .rejected: 1
        case .claimsUnreadable: 2
        case .audienceMismatch: 3
        case .tokenRefusedForLength: 4
        case .noToken: 5
        case .tokenTooLong: 6
        case .tokenNotUTF8: 7
        case .serverFailed: 8
        case .wrongAddress: 9
        case .clockOff: 10
        case .headTooLarge: 11
        case .bodyTooLarge: 12
        case .brokenLength: 13
        case .notJSON: 14
        case .notObject: 15
        case .noVerdict: 16
        case .userUnusable: 17
        case .textUnusable: 18
        case .otherToken: 19
        case .expiryUnreadable: 20
        case .expired: 21
        case .unexpectedStatus: 22
        case .transport: 23
        case .tokenHoldsNUL: 24
        case .headerHoldsNUL: 25
        case .notConfirmed: 26
        case .keySetNotShown: 27
        case .acceptsAnything: 28
        case .cancelled: 29
        case .keySetCached: 30
        case .audienceUnknown: 31
        case .tokenBlank: 32
        case .tokenNotCanonical: 33
        case .encodedBody: 34
        case .unboundAnswer: 35
        }
    }
}

@Suite struct VerdictReasonTests {
    /// Every text that a verdict can have: all samples, and every code that chooses among texts.
    private static let allReasons: [VerdictReason] =
        VerdictReason.samples.map(\.0) + TransportFailure.samples.map { .transport($0.0) }
        + (300...499).map { .wrongAddress($0) } + (500...599).map { .serverFailed($0) }
        + [.notConfirmed(0), .serverFailed(408), .serverFailed(425), .serverFailed(429), .tokenRefusedForLength(431)]
        + [.clockOff(seconds: -90), .unexpectedStatus(0), .unexpectedStatus(-1), .unexpectedStatus(999)]
        + [.expired(secondsAgo: .max), .clockOff(seconds: .min), .clockOff(seconds: .max)]

    @Test func theSamplesAreComplete() {
        #expect(VerdictReason.samples.map(\.0.place) == Array(0..<36))
        #expect(TransportFailure.samples.map(\.0.place) == Array(0..<22))
    }

    @Test func eachReasonHasItsStatusAndCode() {
        for (reason, status, code) in VerdictReason.samples {
            #expect(reason.status == status, "\(reason)")
            #expect(reason.code == code, "\(reason)")
        }
    }

    @Test func onlyOneReasonIsAYes() {
        #expect(Self.allReasons.filter { $0.status == .ok } == [.accepted])
    }

    @Test func everyTextIsOneLineOfASCII() {
        for reason in Self.allReasons {
            let text = reason.text
            #expect(!text.isEmpty, "\(reason)")
            #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(reason)")
            // What hanko_last_error keeps of a text; the longest must not be cut.
            #expect(text.utf8.count < 512, "\(reason)")
        }
    }

    /// A completion keeps 231 bytes of its text; the id at the end must not be cut.
    @Test func aTextOfWhatCouldNotBeAskedHasRoomForTheRequestsID() {
        let id = " (X-Request-Id: \(RequestID(high: .max, low: .max).text))"
        #expect(id.utf8.count == 49)
        let failures: [TransportFailure] = [.proxyRefused(.min), .other(.min), .unusableLibrary(.min)]
        let longest: [VerdictReason] =
            [.unexpectedStatus(.min), .notJSON(position: .max), .expired(secondsAgo: .min), .serverFailed(.min)]
            + failures.map { .transport($0) }
        var count = 0
        for reason in Self.allReasons + longest where [.unavailable, .protocolError].contains(reason.status) {
            #expect((reason.text + id).utf8.count <= 231, "\(reason)")
            count += 1
        }
        #expect(count > 130)
    }

    @Test func differentReasonsHaveDifferentTexts() {
        let samples = VerdictReason.samples.map(\.0).filter { $0 != .transport(.resolve) }
        let texts = samples.map(\.text) + TransportFailure.samples.map(\.0.text)
        #expect(Set(texts).count == texts.count)
    }

    @Test func whatIsNoEventForAnOperatorIsNotLoggedByDefault() {
        #expect(VerdictReason.accepted.logLevel == .debug)
        #expect(VerdictReason.noToken.logLevel == .debug)
        for reason in [
            VerdictReason.rejected, .claimsUnreadable, .tokenTooLong, .tokenNotUTF8, .tokenBlank, .tokenNotCanonical,
        ] {
            #expect(reason.logLevel == .info, "\(reason)")
        }
        #expect(VerdictReason.cancelled.logLevel == .info)
        for (reason, status, _) in VerdictReason.samples
        where ![.ok, .noToken, .invalidToken, .cancelled].contains(status) {
            #expect(reason.logLevel == .error, "\(reason)")
        }
    }

    /// Whatever a server or a browser sends, the text is ours. Each piece of six characters of what came is looked for.
    @Test func noTextHoldsAnythingOfTheTokenOrOfTheAnswer() {
        let payload = #"{"session_id":"\#(Judge.session)","sub":"\#(Judge.user)","secret":"xyzzyplugh"}"#
        let secrets = "QWERTZUIOPASDFGHJKLYXCVBNM"
        var seen: [VerdictReason] = []
        for (index, template) in [
            secrets, "{\"is_valid\":true,\"user_id\":\"\",\"x\":\"\(secrets)\"}",
            "{\"is_valid\":\"\(secrets)\"}", "[\"\(secrets)\"]",
            "{\"is_valid\":false,\"x\":\"\(secrets)\"}",
            "{\"is_valid\":true,\"expiration_time\":\"\(secrets)\"}",
            "{\"is_valid\":true,\"claims\":{\"session_id\":\"\(Judge.otherSession)\"}}",
            "{\"is_valid\":true,\"claims\":{\"username\":\"\(secrets)\\u0000\"}}",
            "{\"is_valid\":true,\"claims\":{\"audience\":\"\(secrets)\"}}",
            "{\"code\":400,\"message\":\"failed to parse token claims: \(secrets)\"}",
        ].enumerated() {
            for status in [200, 400, 404, 413, 503, 204] {
                let token = Judge.token(payload: payload)
                let reason = Judge.reason(template, status: status, token: token, audiences: ["app"])
                seen.append(reason)
                let text = reason.text
                for source in [String(decoding: token, as: UTF8.self), payload, secrets, Judge.otherSession] {
                    let characters = Array(source)
                    for start in 0...(characters.count - 6) {
                        let piece = String(characters[start..<start + 6])
                        // The payload's own member name is a word that a text may use.
                        if "\"session_id\":".contains(piece) { continue }
                        #expect(!text.contains(piece), "\(index) \(status)")
                    }
                }
            }
        }
        #expect(Set(seen.map(\.place)).count >= 10)
    }
}
