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
    /// None means that the audience is not checked.
    package var audiences: [[UInt8]] = []
    package var confirmsRejections = false
    package var logLevel = LogLevel.error

    package init() {}

    /// Callers that may wait for a connection at a time.
    package var maximumWaiting: Int64 { maximumConnections &* 16 }
}
