import CSystem

/// One way to read each setting from text, whoever gives it: the environment or the functions of the C API.
extension Configuration {
    package mutating func setAPIURL(_ text: ByteView) throws(ConfigurationError) {
        apiURL = try APIURL(text)
    }

    /// Numbers are given as such, or as nil where a text was none.
    package mutating func setTimeout(milliseconds: Int64?) throws(ConfigurationError) {
        timeoutMilliseconds = try Self.milliseconds(milliseconds)
    }

    package mutating func setConnectTimeout(milliseconds: Int64?) throws(ConfigurationError) {
        connectTimeoutMilliseconds = try Self.milliseconds(milliseconds)
    }

    package mutating func setMaximumRetries(_ count: Int64?) throws(ConfigurationError) {
        guard let count, count >= 0, count <= 10 else {
            throw ConfigurationError("must be a whole number from 0 to 10")
        }
        maximumRetries = count
    }

    package mutating func setMaximumConnections(_ count: Int64?) throws(ConfigurationError) {
        guard let count, count >= 1, count <= 10_000 else {
            throw ConfigurationError("must be a whole number from 1 to 10000")
        }
        maximumConnections = count
    }

    private static func milliseconds(_ value: Int64?) throws(ConfigurationError) -> Int64 {
        guard let value, value >= 1, value <= 3_600_000 else {
            throw ConfigurationError("must be a whole number of milliseconds from 1 to 3600000")
        }
        return value
    }

    /// The name of a cookie is a token of RFC 9110 section 5.6.2 (RFC 6265 section 4.1.1).
    package mutating func setCookieName(_ text: ByteView) throws(ConfigurationError) {
        let error = ConfigurationError("must be the name of a cookie: letters, digits and any of !#$%&'*+-.^_`|~")
        if text.isEmpty { throw error }
        let marks = ByteView("!#$%&'*+-.^_`|~")
        var position = 0
        while position < text.count {
            let byte = text[position]
            let isLetter = ASCII.lowercased(byte) >= 0x61 && ASCII.lowercased(byte) <= 0x7A
            guard isLetter || ASCII.isDigit(byte) || marks.contains(byte) else { throw error }
            position &+= 1
        }
        cookieName = text.bytes()
    }

    /// The file is opened once here, so that a typing error shows before the first request does.
    package mutating func setCAFile(_ text: ByteView) throws(ConfigurationError) {
        let path = text.bytes() + [0]
        let looksRight = path.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { path in
                path.baseAddress.flatMap { CertificateFile.looksRight($0) }
            }
        }
        guard let looksRight else { throw .shortage }
        guard looksRight else {
            throw ConfigurationError("must be the path of a readable file with certificates in PEM form")
        }
        caFile = path
    }

    package mutating func clearCAFile() { caFile = nil }

    /// The first one that is added replaces those from the environment.
    package mutating func addAudience(_ audience: ByteView) throws(ConfigurationError) {
        guard !audience.isEmpty, UTF8Text.isValid(audience) else {
            throw ConfigurationError("must be text in UTF-8 and not empty")
        }
        if audiencesAreFromEnvironment { audiences = [] }
        audiencesAreFromEnvironment = false
        audiences.append(audience.bytes())
    }

    package mutating func clearAudiences() {
        audiences = []
        audiencesAreFromEnvironment = false
    }

    /// A list that is set but names nothing would make a check vanish silently, so it is an error.
    package mutating func setAudiences(_ text: ByteView) throws(ConfigurationError) {
        var found: [[UInt8]] = []
        var rest = text
        while true {
            let end = rest.firstPosition(of: ASCII.comma) ?? rest.count
            let audience = rest.slice(from: 0, to: end).trimmed()
            guard !audience.isEmpty, UTF8Text.isValid(audience) else {
                throw ConfigurationError(
                    "must be one or more audiences in UTF-8 with commas between them, none of them empty; unset it to check none"
                )
            }
            found.append(audience.bytes())
            if end == rest.count { break }
            rest = rest.slice(from: end &+ 1)
        }
        audiences = found
        audiencesAreFromEnvironment = true
    }

    package mutating func setAllowsInsecureHTTP(_ number: Int64?) throws(ConfigurationError) {
        allowsInsecureHTTP = try Self.flag(number)
    }

    package mutating func setConfirmsRejections(_ number: Int64?) throws(ConfigurationError) {
        confirmsRejections = try Self.flag(number)
    }

    package mutating func setLogger(_ target: LogTarget, level: Int32) throws(ConfigurationError) {
        guard let level = LogLevel(rawValue: level) else {
            throw ConfigurationError("must have a level from HANKO_LOG_OFF (0) to HANKO_LOG_DEBUG (4)")
        }
        logTarget = target
        logLevel = level
    }

    package mutating func setLogLevel(_ text: ByteView) throws(ConfigurationError) {
        guard let level = LogLevel(named: text) else {
            throw ConfigurationError("must be off, error, warning, info or debug")
        }
        logLevel = level
    }

    private static func flag(_ number: Int64?) throws(ConfigurationError) -> Bool {
        switch number {
        case 0: return false
        case 1: return true
        default: throw ConfigurationError("must be 0 or 1")
        }
    }
}
