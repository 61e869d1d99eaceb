import CCurl

/// libcurl in this process: checked and initialised once.
struct CurlLibrary {
    let tlsLibrary: TLSLibrary

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
                problem:
                    "libcurl 7.87 or newer is needed, but \(found >> 16 & 0xFF).\(found >> 8 & 0xFF).\(found & 0xFF) is loaded; install a newer libcurl"
            )
        }
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard code == CURLE_OK else {
            throw ClientError(problem: "libcurl could not be initialised (its code \(code.rawValue))")
        }
        tlsLibrary = TLSLibrary()
    }
}
