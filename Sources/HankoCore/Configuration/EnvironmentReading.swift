/// What an environment says: a configuration, or what is wrong with it.
package struct EnvironmentReading {
    package private(set) var configuration = Configuration()
    /// The first thing that is wrong, as a sentence that names the variable and what it should look like; nil when
    /// everything is right.
    package private(set) var problem: String?

    package init(_ environment: Environment) {
        if environment.isHidden {
            problem =
                "the process runs with raised privileges, so HANKO_* variables of its environment are not believed; unset them"
            return
        }
        for variable in EnvironmentVariable.allCases {
            do {
                _ = try environment.withValue(of: variable) { (value) throws(ConfigurationError) in
                    try configuration.set(variable, to: value)
                }
            } catch {
                note("\(variable.name) \(error.text)")
            }
        }
        guard problem == nil else { return }
        guard let url = configuration.apiURL else {
            problem = "HANKO_API_URL is not set; set it to the address of your Hanko, as in https://<tenant>.hanko.io"
            return
        }
        if !url.isHTTPS && !url.isLoopback && !configuration.allowsInsecureHTTP {
            problem =
                "HANKO_API_URL must begin with https:// (http:// would send tokens in the clear); set HANKO_ALLOW_INSECURE_HTTP=1 only in a network you trust"
        }
    }

    private mutating func note(_ text: String) {
        if problem == nil { problem = text }
    }
}

extension Configuration {
    fileprivate mutating func set(_ variable: EnvironmentVariable, to value: ByteView) throws(ConfigurationError) {
        switch variable {
        case .logLevel: try setLogLevel(value)
        case .apiURL: try setAPIURL(value)
        case .cookieName: try setCookieName(value)
        case .timeout: try setTimeout(value)
        case .connectTimeout: try setConnectTimeout(value)
        case .maximumRetries: try setMaximumRetries(value)
        case .maximumConnections: try setMaximumConnections(value)
        case .caFile: try setCAFile(value)
        case .audience: try setAudiences(value)
        case .allowsInsecureHTTP: try setAllowsInsecureHTTP(value)
        case .confirmsRejections: try setConfirmsRejections(value)
        }
    }
}
