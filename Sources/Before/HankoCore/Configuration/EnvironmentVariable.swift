/// The variables that configure the library.
package enum EnvironmentVariable: CaseIterable {
    // The level comes first, so that what is wrong with the others is logged at it.
    case logLevel
    case apiURL
    case cookieName
    case timeout
    case connectTimeout
    case maximumRetries
    case maximumConnections
    case caFile
    case audience
    case allowsInsecureHTTP
    case confirmsRejections

    package var name: StaticString {
        switch self {
        case .logLevel: "HANKO_LOG"
        case .apiURL: "HANKO_API_URL"
        case .cookieName: "HANKO_COOKIE_NAME"
        case .timeout: "HANKO_TIMEOUT_MS"
        case .connectTimeout: "HANKO_CONNECT_TIMEOUT_MS"
        case .maximumRetries: "HANKO_MAX_RETRIES"
        case .maximumConnections: "HANKO_MAX_CONNECTIONS"
        case .caFile: "HANKO_CA_FILE"
        case .audience: "HANKO_AUDIENCE"
        case .allowsInsecureHTTP: "HANKO_ALLOW_INSECURE_HTTP"
        case .confirmsRejections: "HANKO_CONFIRM_REJECTIONS"
        }
    }

    /// An empty variable counts as unset, but for the one where that would make a check vanish.
    var countsWhenEmpty: Bool { self == .audience }
}
