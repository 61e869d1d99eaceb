/// Why a verdict is what it is. Each reason has one status and one text of our own words and numbers.
package enum VerdictReason: Equatable {
    // Yes
    case accepted

    // No
    case rejected
    case claimsUnreadable
    case audienceMismatch
    case audienceUnknown
    case tokenRefusedForLength(Int)
    case noToken
    case tokenBlank
    case tokenTooLong
    case tokenNotUTF8
    case tokenHoldsNUL
    case tokenNotCanonical
    case headerHoldsNUL

    // Could not ask
    case serverFailed(Int)
    case wrongAddress(Int)
    case notConfirmed(Int)
    case keySetCached
    case keySetNotShown(Int)
    case acceptsAnything
    case clockOff(seconds: Int64)
    case headTooLarge
    case bodyTooLarge
    case brokenLength
    case encodedBody
    case unboundAnswer
    case notJSON(position: Int)
    case notObject
    case noVerdict
    case userUnusable
    case textUnusable
    case otherToken
    case expiryUnreadable
    case expired(secondsAgo: Int64)
    case unexpectedStatus(Int)
    /// The caller withdrew the call.
    case cancelled
    case transport(TransportFailure)

    package var status: Status {
        switch self {
        case .accepted: .ok
        case .rejected, .claimsUnreadable, .audienceMismatch, .audienceUnknown, .tokenRefusedForLength, .tokenBlank,
            .tokenTooLong, .tokenNotUTF8, .tokenHoldsNUL, .tokenNotCanonical, .headerHoldsNUL:
            .invalidToken
        case .noToken: .noToken
        case .serverFailed, .notConfirmed, .keySetCached: .unavailable
        case .wrongAddress, .clockOff, .keySetNotShown, .acceptsAnything: .misconfigured
        case .cancelled: .cancelled
        case .transport(let failure): failure.status
        default: .protocolError
        }
    }

    /// The HTTP status that the reason stands for; 0 when there was no answer.
    package var code: Int {
        switch self {
        case .noToken, .tokenBlank, .tokenTooLong, .tokenNotUTF8, .tokenHoldsNUL, .tokenNotCanonical, .headerHoldsNUL,
            .acceptsAnything, .cancelled, .transport, .headTooLarge:
            0
        case .claimsUnreadable: 400
        case .tokenRefusedForLength(let code), .serverFailed(let code), .wrongAddress(let code),
            .unexpectedStatus(let code), .notConfirmed(let code), .keySetNotShown(let code):
            code
        default: 200
        }
    }

    /// Hanko said yes, and only the configured audiences refuse the token.
    package var isForAudience: Bool { self == .audienceMismatch || self == .audienceUnknown }

    /// How important the reason is to an operator. A token that is simply not valid is no event; a token that only the
    /// configured audiences refuse is one, because a typo there logs everybody out.
    package var logLevel: LogLevel {
        if isForAudience { return .error }
        switch status {
        case .ok, .noToken: return .debug
        case .invalidToken, .cancelled: return .info
        default: return .error
        }
    }

    package var text: String {
        switch self {
        case .accepted: "Hanko accepted the session token"
        case .rejected: "Hanko rejected the session token"
        case .claimsUnreadable:
            "Hanko could not read the claims of the token (400): it is not a session token, but perhaps one that Hanko made for a webhook"
        case .audienceMismatch: "the session's audience holds none of the configured audiences"
        case .audienceUnknown:
            "the session's audience is not known, because the token has no payload of Hanko's; it must be one of the configured audiences"
        case .tokenRefusedForLength(let code): "the server refused the token for its length (\(code))"
        case .noToken: "no token was given; nothing was asked"
        case .tokenBlank: "the token is nothing but white space; nothing was asked"
        case .tokenTooLong: "the token is longer than 262144 bytes; nothing was asked"
        case .tokenNotUTF8: "the token is not valid UTF-8; nothing was asked"
        case .tokenHoldsNUL: "the token holds a U+0000; nothing was asked"
        case .tokenNotCanonical:
            "the token has the shape of a JWS but not the one form in which Hanko issues them; nothing was asked"
        case .headerHoldsNUL: "a header holds a U+0000; nothing was asked"
        case .serverFailed(let code):
            code == 429
                ? "the server answered 429, too many requests; look at the rate limits in front of Hanko"
                : "the server answered \(code); look at the health of Hanko and of what stands in front of it"
        case .wrongAddress(let code): Self.advice(on: code)
        case .notConfirmed(let code):
            code == 0
                ? "Hanko rejected the token but could not be asked for its key set, so that may be an outage; look at Hanko"
                : "Hanko rejected the token but cannot show its key set (\(code)), which means an outage; look at its database"
        case .keySetCached:
            "the key set came out of a cache (Age), which says nothing about Hanko now, so no rejection can be confirmed; let nothing cache GET /.well-known/jwks.json"
        case .keySetNotShown(let code):
            "the key set was answered with \(code), so no rejection can be confirmed; let GET /.well-known/jwks.json through, or set HANKO_CONFIRM_REJECTIONS=0"
        case .acceptsAnything:
            "what answers at HANKO_API_URL accepts any token; is it a test double?"
        case .clockOff(let seconds):
            seconds > 0
                ? "this machine's clock is \(seconds) s ahead of the server's; set the clock"
                : "this machine's clock is \(0 &- seconds) s behind the server's; set the clock"
        case .headTooLarge: "the head of the answer was longer than 65536 bytes"
        case .bodyTooLarge: "the body of the answer was longer than 262144 bytes"
        case .brokenLength:
            "the answer had no Content-Length of one number, or another beside its chunks, so that its end cannot be known"
        case .encodedBody:
            "the body of the answer was encoded (Content-Encoding), although identity was asked for; look at the gateway in front of Hanko"
        case .unboundAnswer:
            "the answer does not bear the X-Request-Id of its request, which earlier ones on its connection did; a proxy in front of Hanko mixes up its answers"
        case .notJSON(let position):
            "the answer 200 is not valid JSON (at byte \(position)); check that HANKO_API_URL is a Hanko"
        case .notObject: "the answer 200 is JSON but not an object; check that HANKO_API_URL is a Hanko"
        case .noVerdict: "the answer 200 has no is_valid that is true or false; check that HANKO_API_URL is a Hanko"
        case .userUnusable: "Hanko accepted the token, but the user it names is empty, not text or the nil UUID"
        case .textUnusable: "Hanko accepted the token, but a text in its answer holds U+0000 or half a character"
        case .otherToken: "the answer belongs to another token; a proxy in front of Hanko mixes up its answers"
        case .expiryUnreadable: "Hanko accepted the token, but its expiry cannot be read"
        case .expired(let seconds): "Hanko accepted the token, but it expired \(seconds) s ago"
        case .unexpectedStatus(let code):
            "the server answered \(code), which Hanko never does here; check HANKO_API_URL"
        case .cancelled: "the call was withdrawn before it had a result"
        case .transport(let failure): failure.text
        }
    }

    private static func advice(on code: Int) -> String {
        switch code {
        case 300...399:
            "the server answered with a redirect (\(code)), which is never followed with a token; set HANKO_API_URL to the final address, https included"
        case 400:
            "the server answered 400 to a well-formed request; check that HANKO_API_URL holds the tenant id if your Hanko has tenants, and what stands in front of it"
        case 401, 403, 407:
            "the server answered \(code), which Hanko never does here; a gateway, proxy or firewall in front of it refuses this machine"
        case 404:
            "the server answered 404; check the host and the path in HANKO_API_URL, and whether the tenant id is missing or wrong"
        case 405, 415:
            "the server answered \(code); what answers at HANKO_API_URL is not a Hanko, or a gateway changes the request"
        default:
            "the server answered \(code), which Hanko never does here; check HANKO_API_URL and what stands in front of Hanko"
        }
    }
}
