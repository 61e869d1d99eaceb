extension Configuration {
    /// Takes every variable that is set; what is not set stays as it is.
    ///
    /// - Parameter readsFiles: false leaves out what lies on a disk.
    /// - Throws: the first thing that is wrong, as a sentence that names the variable and what it should look like. The
    ///   others are taken all the same, the level of the log among them.
    package mutating func load(_ environment: Environment, readsFiles: Bool = true) throws(ClientError) {
        if environment.isHidden {
            throw ClientError(
                problem: "the process runs with raised privileges, so HANKO_* variables of its environment are not"
                    + " believed; unset them")
        }
        misspelledVariables = environment.misspelledVariables()
        var problem: ClientError?
        for variable in EnvironmentVariable.allCases where readsFiles || variable != .caFile {
            do {
                _ = try environment.withValue(of: variable) { (value) throws(ConfigurationError) in
                    try set(variable, to: value)
                }
            } catch {
                if problem == nil {
                    problem = ClientError(problem: "\(variable.name) \(error.text)", isShortage: error.isShortage)
                }
            }
        }
        if let problem { throw problem }
    }

    /// What a call needs to know that waits for a client: its deadline and the level of the log. No file is read for that.
    ///
    /// What is malformed is passed over here; making the client tells it.
    package static func forWaiting(_ environment: Environment) -> Configuration {
        var configuration = Configuration()
        do { try configuration.load(environment, readsFiles: false) } catch {}
        return configuration
    }

    private mutating func set(_ variable: EnvironmentVariable, to value: ByteView) throws(ConfigurationError) {
        switch variable {
        case .logLevel: try setLogLevel(value)
        case .apiURL: try setAPIURL(value)
        case .cookieName: try setCookieName(value)
        case .timeout: try setTimeout(milliseconds: value.decimal(atMost: .max))
        case .connectTimeout: try setConnectTimeout(milliseconds: value.decimal(atMost: .max))
        case .maximumRetries: try setMaximumRetries(value.decimal(atMost: .max))
        case .maximumConnections: try setMaximumConnections(value.decimal(atMost: .max))
        case .caFile: try setCAFile(value)
        case .audience: try setAudiences(value)
        case .allowsInsecureHTTP: try setAllowsInsecureHTTP(flag(value))
        case .confirmsRejections: try setConfirmsRejections(flag(value))
        }
    }

    /// `0`, `1`, or a word for one of them in any case; `01` is neither.
    private func flag(_ value: ByteView) throws(ConfigurationError) -> Int64 {
        for word in ["0", "false", "no", "off"] as [StaticString] where value.equalsIgnoringCase(ByteView(word)) {
            return 0
        }
        for word in ["1", "true", "yes", "on"] as [StaticString] where value.equalsIgnoringCase(ByteView(word)) {
            return 1
        }
        throw ConfigurationError("must be 0 or 1; false, no and off, true, yes and on are taken for these")
    }
}
