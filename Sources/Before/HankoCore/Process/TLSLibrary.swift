import CCurl

/// Asks the TLS library behind libcurl whether it holds bytes that were received but not read yet.
///
/// libcurl reads no further than the declared end of an answer. A surplus answer in the same TLS record then stays
/// inside the TLS library, where a look at the socket does not see it, and would become the next answer. OpenSSL and
/// GnuTLS can be asked; their function is found in the library that libcurl uses already, so that nothing more is linked.
package struct TLSLibrary: Sendable {
    private typealias HasPending = @convention(c) (UnsafeMutableRawPointer) -> Int32
    private typealias CountPending = @convention(c) (UnsafeMutableRawPointer) -> Int

    private let openSSL: HasPending?
    private let gnuTLS: CountPending?

    package init() {
        openSSL = hanko_curl_dependency("SSL_has_pending").map { unsafeBitCast($0, to: HasPending.self) }
        gnuTLS = hanko_curl_dependency("gnutls_record_check_pending").map { unsafeBitCast($0, to: CountPending.self) }
    }

    /// Whether bytes may be waiting in the TLS session of the connection that a transfer is about to use. True as well
    /// when that cannot be found out: such a connection is not used again.
    func mayHoldBytes(of handle: UnsafeMutableRawPointer) -> Bool {
        var session: UnsafeMutablePointer<curl_tlssessioninfo>?
        guard hanko_curl_get_tls(handle, &session) == CURLE_OK, let session else { return true }
        guard let internals = session.pointee.internals else {
            // No TLS on this connection, or a TLS library that shows nothing of itself.
            return hanko_curl_uses_tls(handle) != 0
        }
        switch session.pointee.backend {
        case CURLSSLBACKEND_OPENSSL:
            guard let openSSL else { return true }
            return openSSL(internals) != 0
        case CURLSSLBACKEND_GNUTLS:
            guard let gnuTLS else { return true }
            return gnuTLS(internals) != 0
        default:
            return true
        }
    }
}
