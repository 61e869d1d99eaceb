import CCurl

/// The address of a Hanko, checked, with the path of a tenant if it has one.
package struct APIURL {
    /// `{api}/sessions/validate`, NUL-terminated for libcurl.
    package let validateURL: [UInt8]
    /// `{api}/.well-known/jwks.json`, likewise.
    package let keySetURL: [UInt8]
    package let isHTTPS: Bool
    /// Whether the host is this machine: exactly `localhost`, 127.0.0.0/8 in dotted form, or `[::1]`.
    package let isLoopback: Bool

    /// Reads an API URL; libcurl parses it, so that what is checked here is what is connected to later.
    ///
    /// - Throws: what is wrong with it and what is allowed. The text does not repeat the URL: it might hold a password.
    package init(_ text: ByteView) throws(ConfigurationError) {
        guard UTF8Text.isValid(text) else { throw ConfigurationError("must be text in UTF-8") }
        var position = 0
        while position < text.count {
            switch text[position] {
            case 0...0x20, 0x7F: throw ConfigurationError("must not contain blanks or control characters")
            case ASCII.backslash: throw ConfigurationError("must not contain a backslash")
            case ASCII.questionMark: throw ConfigurationError("must not have a query (?)")
            case ASCII.hash: throw ConfigurationError("must not have a fragment (#)")
            default: position &+= 1
            }
        }
        // libcurl would also read one slash or three.
        guard let colon = text.firstPosition(of: ASCII.colon), text[colon &+ 1] == ASCII.slash,
            text[colon &+ 2] == ASCII.slash, text[colon &+ 3] != ASCII.slash
        else { throw ConfigurationError(Self.expectation) }
        let afterScheme = colon &+ 3
        let authorityEnd = text.firstPosition(of: ASCII.slash, from: afterScheme) ?? text.count
        guard !text.slice(from: afterScheme, to: authorityEnd).contains(ASCII.at) else {
            throw ConfigurationError("must not contain a user name or password")
        }
        guard let parts = curl_url() else { throw ConfigurationError.shortage }
        defer { curl_url_cleanup(parts) }
        let parsed = (text.bytes() + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                curl_url_set(parts, CURLUPART_URL, $0.baseAddress, UInt32(CURLU_NON_SUPPORT_SCHEME))
            }
        }
        guard parsed == CURLUE_OK else { throw Self.error(parsed) }
        let scheme = try Self.part(CURLUPART_SCHEME, of: parts) ?? []
        isHTTPS = Self.equals(scheme, "https")
        guard isHTTPS || Self.equals(scheme, "http") else { throw ConfigurationError(Self.expectation) }
        guard let host = try Self.part(CURLUPART_HOST, of: parts), !host.isEmpty else {
            throw ConfigurationError("must name a host, as in https://<tenant>.hanko.io")
        }
        if let port = try Self.part(CURLUPART_PORT, of: parts), Self.equals(port, "0") {
            throw Self.error(CURLUE_BAD_PORT_NUMBER)
        }
        let hasZone = try Self.part(CURLUPART_ZONEID, of: parts) != nil
        isLoopback = !hasZone && host.withUnsafeBufferPointer { Self.isLoopback(ByteView($0)) }
        guard var url = try Self.part(CURLUPART_URL, of: parts) else {
            throw ConfigurationError.shortage
        }
        while url.last == ASCII.slash { url.removeLast() }
        validateURL = url + ByteView("/sessions/validate").bytes() + [0]
        keySetURL = url + ByteView("/.well-known/jwks.json").bytes() + [0]
    }

    private static var expectation: StaticString {
        "must begin with https:// or http:// and name a host, as in https://<tenant>.hanko.io"
    }

    private static func error(_ code: CURLUcode) -> ConfigurationError {
        switch code {
        case CURLUE_BAD_PORT_NUMBER: ConfigurationError("has a port that is not a number from 1 to 65535")
        case CURLUE_NO_HOST, CURLUE_BAD_HOSTNAME, CURLUE_BAD_IPV6:
            ConfigurationError("has no valid host; it should look like https://<tenant>.hanko.io")
        case CURLUE_OUT_OF_MEMORY: .shortage
        default: ConfigurationError(expectation)
        }
    }

    /// - Returns: nil when the URL has no such part.
    private static func part(_ part: CURLUPart, of url: OpaquePointer) throws(ConfigurationError) -> [UInt8]? {
        var text: UnsafeMutablePointer<CChar>?
        let code = curl_url_get(url, part, &text, 0)
        if code == CURLUE_OUT_OF_MEMORY { throw .shortage }
        guard code == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        var bytes: [UInt8] = []
        var position = 0
        while text[position] != 0 {
            bytes.append(UInt8(bitPattern: text[position]))
            position &+= 1
        }
        return bytes
    }

    private static func equals(_ bytes: [UInt8], _ text: StaticString) -> Bool {
        bytes.withUnsafeBufferPointer { ByteView($0).equals(ByteView(text)) }
    }

    private static func isLoopback(_ host: ByteView) -> Bool {
        if host.equalsIgnoringCase(ByteView("localhost")) || host.equals(ByteView("[::1]")) { return true }
        var rest = host
        var octets = 0
        while true {
            let end = rest.firstPosition(of: ASCII.dot) ?? rest.count
            let text = rest.slice(from: 0, to: end)
            // A leading zero means octal to some readers of addresses: 0127 would be 87.
            guard let octet = text.decimal(atMost: 255), text.count == 1 || text[0] != ASCII.zero,
                octets > 0 || octet == 127
            else { return false }
            octets &+= 1
            if end == rest.count { return octets == 4 }
            rest = rest.slice(from: end &+ 1)
        }
    }
}
