import CSystem

/// A file with the certificates of a private authority.
enum CertificateFile {
    /// Far more than the certificates of all public authorities together.
    private static var longest: Int { 16_777_216 }

    /// Whether a path names a regular file that can be read and holds a certificate in PEM form (RFC 7468 section 5).
    /// Whether the certificate is any good is for the TLS library to say.
    ///
    /// - Returns: nil when there is no memory to see that.
    static func looksRight(_ path: UnsafePointer<CChar>) -> Bool? {
        let descriptor = hanko_open_regular_file(path)
        guard descriptor >= 0 else { return hanko_errno() == ENOMEM ? nil : false }
        defer { close(descriptor) }
        var content = SecretBuffer()
        while content.count < longest {
            var piece = InlineArray<4096, UInt8>(repeating: 0)
            let length = withUnsafeMutableBytes(of: &piece) { bytes in
                read(descriptor, bytes.baseAddress, bytes.count)
            }
            guard length > 0 else { break }
            guard content.reserve(content.count &+ length) else { return nil }
            withUnsafeBytes(of: &piece) { bytes in
                content.append(ByteView(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: length))
            }
        }
        return content.withView { isPEM($0) }
    }

    private static func isPEM(_ content: ByteView) -> Bool {
        let begin = ByteView("-----BEGIN ")
        let label = ByteView("CERTIFICATE-----")
        var start = 0
        while let dash = content.firstPosition(of: ASCII.minus, from: start) {
            start = dash &+ 1
            guard content.slice(from: dash).hasPrefix(begin) else { continue }
            // Also "X509 CERTIFICATE" and "TRUSTED CERTIFICATE", which OpenSSL takes.
            let lineEnd = content.firstPosition(of: ASCII.lineFeed, from: dash) ?? content.count
            let line = content.slice(from: dash, to: lineEnd)
            if line.holds(label) { return true }
        }
        return false
    }
}
