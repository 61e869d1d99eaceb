/// Everything that can be configured, checked, with the defaults.
package struct Configuration {
    package var apiURL: APIURL?
    package var cookieName: [UInt8] = ByteView("hanko").bytes()
    package var timeoutMilliseconds: Int64 = 10_000
    package var connectTimeoutMilliseconds: Int64 = 3_000
    package var maximumRetries: Int64 = 1
    package var maximumConnections: Int64 = 64
    /// NUL-terminated for libcurl; nil means the authorities of the system.
    package var caFile: [UInt8]?
    package var allowsInsecureHTTP = false
    /// That of the environment once a client is made.
    package var proxy = ProxySettings.none
    /// None means that the audience is not checked.
    package var audiences: [[UInt8]] = []
    package var audiencesAreFromEnvironment = false
    package var confirmsRejections = true
    package var logLevel = LogLevel.error
    package var logTarget = LogTarget.standardError
    /// Found in the environment when that was read.
    package var misspelledVariables: [MisspelledVariable] = []

    package init() {}

    /// The address to ask, looked at together with the other settings.
    ///
    /// - Throws: what is wrong with the whole, as a sentence; otherwise a client can be made of it.
    package func checkedURL() throws(ClientError) -> APIURL {
        guard let apiURL else {
            throw ClientError(
                problem:
                    "HANKO_API_URL is not set, and no API URL was configured otherwise; set it to the address of your"
                    + " Hanko, as in https://<tenant>.hanko.io")
        }
        guard apiURL.isHTTPS || apiURL.isLoopback || allowsInsecureHTTP else {
            throw ClientError(
                problem:
                    "the API URL (HANKO_API_URL) must begin with https://, because http:// would send tokens in the"
                    + " clear; set HANKO_ALLOW_INSECURE_HTTP=1 only in a network you trust")
        }
        return apiURL
    }

    /// Callers that may wait for a connection at a time.
    package var maximumWaiting: Int64 { maximumConnections &* 16 }
}
