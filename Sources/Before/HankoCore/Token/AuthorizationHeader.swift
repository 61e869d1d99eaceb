/// The value of an Authorization header (RFC 9110 section 11.6.2).
package enum AuthorizationHeader {
    /// The credential of the scheme `Bearer` (RFC 6750 section 2.1), compared without regard to case; nil when the
    /// header is of another scheme or names no credential.
    package static func bearer(_ header: ByteView) -> ByteView? {
        let value = header.trimmed()
        let scheme = ByteView("bearer")
        guard value.slice(from: 0, to: scheme.count).equalsIgnoringCase(scheme), ASCII.isBlank(value[scheme.count])
        else {
            return nil
        }
        let credential = value.slice(from: scheme.count).trimmed()
        return credential.isEmpty ? nil : credential
    }
}
