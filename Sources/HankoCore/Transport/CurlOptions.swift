import CCurl

/// Sets options of one handle and checks the result of each: an option that a libcurl does not have must not be missed.
struct CurlOptions {
    private let handle: UnsafeMutableRawPointer

    init(_ handle: UnsafeMutableRawPointer) { self.handle = handle }

    func set(_ option: CURLoption, _ value: Int) throws(TransportFailure) {
        try Self.check(hanko_curl_set_long(handle, option, value))
    }

    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String) throws(TransportFailure) {
        try Self.check(value.withCString { hanko_curl_set_text(handle, option, $0) })
    }

    /// libcurl copies the text, which ends with a NUL; nil sets the option to NULL.
    func set(_ option: CURLoption, _ value: [UInt8]?) throws(TransportFailure) {
        guard let value else { return try Self.check(hanko_curl_set_text(handle, option, nil)) }
        let code = value.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { hanko_curl_set_text(handle, option, $0.baseAddress) }
        }
        try Self.check(code)
    }

    /// Makes libcurl open its sockets through a `Connection` and close them through a `DescriptorRegistry`, which outlive
    /// the handle, and throw away what a proxy says in the body of its refusal.
    func setCallbacks(
        opening connection: UnsafeMutableRawPointer, closing descriptors: UnsafeMutableRawPointer
    ) throws(TransportFailure) {
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, connection))
        try Self.check(
            hanko_curl_set_open_socket(handle) { context, _, address in
                guard let context, let address else { return -1 }
                return Connection.connection(at: context).openSocket(address)
            })
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_CLOSESOCKETDATA, descriptors))
        try Self.check(
            hanko_curl_set_close_socket(handle) { context, socket in
                guard let context else { return -1 }
                return Unmanaged<DescriptorRegistry>.fromOpaque(context).takeUnretainedValue().close(socket)
            })
        try Self.check(hanko_curl_set_receive(handle, CURLOPT_WRITEFUNCTION) { _, _, count, _ in count })
        try Self.check(hanko_curl_set_receive(handle, CURLOPT_HEADERFUNCTION) { _, _, count, _ in count })
    }

    /// - Throws: what the result of setting an option means, unless it was set.
    static func check(_ code: CURLcode) throws(TransportFailure) {
        switch code {
        case CURLE_OK: return
        case CURLE_OUT_OF_MEMORY: throw .localShortage
        default: throw .unusableLibrary(Int32(bitPattern: code.rawValue))
        }
    }
}
