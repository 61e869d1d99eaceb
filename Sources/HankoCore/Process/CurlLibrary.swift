import CCurl
import CSystem

/// libcurl in this process: checked and initialised once.
struct CurlLibrary {
    /// `curl_easy_recv` may say AGAIN while the socket has more. With a TLS library other than OpenSSL that is so behind
    /// each record that holds no data: GnuTLS and Mbed TLS return to their caller after each session ticket.
    let mayHideInput: Bool

    /// Initialises libcurl.
    ///
    /// - Throws: what is wrong with the libcurl that is loaded, and what to do.
    init() throws(ClientError) {
        guard let information = curl_version_info(CURLVERSION_FIRST) else {
            throw ClientError(problem: "libcurl does not tell its version")
        }
        let found = information.pointee.version_num
        // 7.87 is the first whose TLS writes cannot raise SIGPIPE and that knows QUICK_EXIT.
        guard found >= 0x075700 else {
            throw ClientError(
                problem: "libcurl 7.87 or newer is needed, but \(Self.text(found)) is loaded; install a newer libcurl"
            )
        }
        if let name = information.pointee.ssl_version {
            mayHideInput = strncmp(name, "OpenSSL/", 8) != 0
        } else {
            mayHideInput = false  // no TLS
        }
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard code == CURLE_OK else {
            throw ClientError(problem: "libcurl could not be initialised (its code \(code.rawValue))")
        }
    }

    @inline(never)
    private static func text(_ version: UInt32) -> String {
        "\(version >> 16 & 0xFF).\(version >> 8 & 0xFF).\(version & 0xFF)"
    }
}
