import CSystem

/// One way to read each setting from text, whoever gives it: the environment, and later the functions of the C API.
extension Configuration {
    package mutating func setAPIURL(_ text: ByteView) throws(ConfigurationError) {
        apiURL = try APIURL(text)
    }

    package mutating func setTimeout(_ text: ByteView) throws(ConfigurationError) {
        guard let value = text.decimal(atMost: 3_600_000), value >= 1 else {
            throw ConfigurationError("must be a whole number of milliseconds from 1 to 3600000")
        }
        timeoutMilliseconds = value
    }

    package mutating func setConnectTimeout(_ text: ByteView) throws(ConfigurationError) {
        guard let value = text.decimal(atMost: 3_600_000), value >= 1 else {
            throw ConfigurationError("must be a whole number of milliseconds from 1 to 3600000")
        }
        connectTimeoutMilliseconds = value
    }

    package mutating func setMaximumRetries(_ text: ByteView) throws(ConfigurationError) {
        guard let value = text.decimal(atMost: 10) else {
            throw ConfigurationError("must be a whole number from 0 to 10")
        }
        maximumRetries = value
    }

    package mutating func setMaximumConnections(_ text: ByteView) throws(ConfigurationError) {
        guard let value = text.decimal(atMost: 10_000), value >= 1 else {
            throw ConfigurationError("must be a whole number from 1 to 10000")
        }
        maximumConnections = value
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
        let isReadable = path.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { path in
                guard let path = path.baseAddress else { return false }
                return hanko_is_readable_file(path) != 0
            }
        }
        guard isReadable else {
            throw ConfigurationError("must be the path of a readable file with certificates in PEM form")
        }
        caFile = path
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
    }

    package mutating func setAllowsInsecureHTTP(_ text: ByteView) throws(ConfigurationError) {
        allowsInsecureHTTP = try Self.flag(text)
    }

    package mutating func setConfirmsRejections(_ text: ByteView) throws(ConfigurationError) {
        confirmsRejections = try Self.flag(text)
        if confirmsRejections {
            throw ConfigurationError(
                "must be 0: confirming rejections (1) is not yet there and comes with a later version")
        }
    }

    package mutating func setLogLevel(_ text: ByteView) throws(ConfigurationError) {
        guard let level = LogLevel(named: text) else {
            throw ConfigurationError("must be off, error, warning, info or debug")
        }
        logLevel = level
    }

    private static func flag(_ text: ByteView) throws(ConfigurationError) -> Bool {
        if text.equals(ByteView("0")) { return false }
        if text.equals(ByteView("1")) { return true }
        throw ConfigurationError("must be 0 or 1")
    }
}
