import CCurl

/// What every request of one kind has in common, ready for libcurl: the address and the header fields.
///
/// The address is parsed once, here: of a text libcurl would take the parts at every request again.
struct RequestTemplate {
    let address: OpaquePointer
    let headers: UnsafeMutablePointer<curl_slist>

    /// The POST that asks about a token.
    ///
    /// - Throws: when there is no memory.
    static func validation(_ url: APIURL) throws(TransportFailure) -> RequestTemplate {
        // An empty Expect field keeps libcurl from waiting for a "100 Continue" before it sends a long token.
        try RequestTemplate(url.validateURL, ["Content-Type: application/json", "Accept: application/json", "Expect:"])
    }

    /// The GET for the key set. A cache's answer would say nothing about Hanko now.
    ///
    /// - Throws: when there is no memory.
    static func keySet(_ url: APIURL) throws(TransportFailure) -> RequestTemplate {
        try RequestTemplate(url.keySetURL, ["Accept: application/json", "Cache-Control: no-cache"])
    }

    private init(_ url: [UInt8], _ fields: [String]) throws(TransportFailure) {
        // Of an option for the User-Agent libcurl would format the field twice for every request.
        guard let headers = Self.list(["User-Agent: libhanko/\(LibraryVersion.text)"] + fields) else {
            throw .localShortage
        }
        guard let address = Self.parsed(url) else {
            curl_slist_free_all(headers)
            throw .localShortage
        }
        self.headers = headers
        self.address = address
    }

    /// Frees it; no handle may use it any more.
    func free() {
        curl_slist_free_all(headers)
        curl_url_cleanup(address)
    }

    private static func list(_ fields: [String]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for field in fields {
            guard let longer = field.withCString({ curl_slist_append(list, $0) }) else {
                curl_slist_free_all(list)
                return nil
            }
            list = longer
        }
        return list
    }

    /// - Parameter url: ends with a NUL, and was parsed by libcurl before, so that only memory can be lacking.
    private static func parsed(_ url: [UInt8]) -> OpaquePointer? {
        guard let address = curl_url() else { return nil }
        let code = url.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { curl_url_set(address, CURLUPART_URL, $0.baseAddress, 0) }
        }
        if code == CURLUE_OK { return address }
        curl_url_cleanup(address)
        return nil
    }
}
