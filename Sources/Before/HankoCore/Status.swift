/// What came of a call. The numbers and names are those of the C API.
package enum Status: Int32, CaseIterable {
    case ok = 0
    case invalidToken = 1
    case noToken = 2
    case timeout = 3
    case unavailable = 4
    case misconfigured = 5
    case protocolError = 6
    case invalidArgument = 7
    case cancelled = 8
    case bufferTooSmall = 9

    package var name: StaticString {
        switch self {
        case .ok: "HANKO_OK"
        case .invalidToken: "HANKO_INVALID_TOKEN"
        case .noToken: "HANKO_NO_TOKEN"
        case .timeout: "HANKO_TIMEOUT"
        case .unavailable: "HANKO_UNAVAILABLE"
        case .misconfigured: "HANKO_MISCONFIGURED"
        case .protocolError: "HANKO_PROTOCOL_ERROR"
        case .invalidArgument: "HANKO_INVALID_ARGUMENT"
        case .cancelled: "HANKO_CANCELLED"
        case .bufferTooSmall: "HANKO_BUFFER_TOO_SMALL"
        }
    }

    /// A text that a client may see; the words are those of Hanko's own guide.
    package var clientMessage: StaticString {
        switch self {
        case .ok: "OK"
        case .invalidToken, .noToken: "Invalid token"
        case .timeout: "Authentication service timeout"
        default: Self.unknownClientMessage
        }
    }

    /// For a number that is no status of this version: a caller must treat it as "could not ask".
    package static var unknownName: StaticString { "HANKO_UNKNOWN_STATUS" }
    package static var unknownClientMessage: StaticString { "Authentication service unavailable" }
}
