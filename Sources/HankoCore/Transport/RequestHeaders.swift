import CCurl

/// The header fields of both requests, as libcurl takes them.
struct RequestHeaders {
    let forValidation: UnsafeMutablePointer<curl_slist>
    let forKeySet: UnsafeMutablePointer<curl_slist>

    /// - Throws: when there is no memory.
    init() throws(TransportFailure) {
        // An empty Expect field keeps libcurl from waiting for a "100 Continue" before it sends a long token.
        guard let validation = Self.list(["Content-Type: application/json", "Accept: application/json", "Expect:"])
        else { throw .localShortage }
        // A cache's answer would say nothing about Hanko now.
        guard let keySet = Self.list(["Accept: application/json", "Cache-Control: no-cache"]) else {
            curl_slist_free_all(validation)
            throw .localShortage
        }
        forValidation = validation
        forKeySet = keySet
    }

    /// Frees the lists; no handle may use them any more.
    func free() {
        curl_slist_free_all(forValidation)
        curl_slist_free_all(forKeySet)
    }

    private static func list(_ lines: [StaticString]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            let longer = line.withUTF8Buffer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { curl_slist_append(list, $0.baseAddress) }
            }
            guard let longer else {
                curl_slist_free_all(list)
                return nil
            }
            list = longer
        }
        return list
    }
}
