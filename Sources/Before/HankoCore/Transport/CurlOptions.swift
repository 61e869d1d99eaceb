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

    /// libcurl keeps the pointers: the template must outlive the handle.
    func set(_ template: RequestTemplate) throws(TransportFailure) {
        try Self.check(hanko_curl_set_address(handle, template.address))
        try Self.check(hanko_curl_set_list(handle, CURLOPT_HTTPHEADER, template.headers))
    }

    /// Makes libcurl call a transfer, which must outlive the handle, and a table, which must outlive the connections.
    func setCallbacks(
        _ transfer: UnsafeMutablePointer<Transfer>, _ connections: ConnectionTable
    ) throws(TransportFailure) {
        let context = UnsafeMutableRawPointer(transfer)
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, context))
        try Self.check(
            hanko_curl_set_open_socket(handle) { context, _, address in
                guard let context, let address else { return -1 }
                return context.assumingMemoryBound(to: Transfer.self).pointee.openSocket(address)
            })
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_CLOSESOCKETDATA, connections.context))
        try Self.check(
            hanko_curl_set_close_socket(handle) { context, socket in
                guard let context else { return -1 }
                return ConnectionTable.table(at: context).close(socket)
            })
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_HEADERDATA, context))
        try Self.check(
            hanko_curl_set_receive(handle, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
                guard let context else { return 0 }
                let line = ByteView(UnsafeRawPointer(bytes)?.assumingMemoryBound(to: UInt8.self), count: count)
                return context.assumingMemoryBound(to: Transfer.self).pointee.receiveHeadLine(line) ? count : 0
            })
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_WRITEDATA, context))
        try Self.check(
            hanko_curl_set_receive(handle, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
                guard let context else { return 0 }
                let part = ByteView(UnsafeRawPointer(bytes)?.assumingMemoryBound(to: UInt8.self), count: count)
                return context.assumingMemoryBound(to: Transfer.self).pointee.receiveBody(part) ? count : 0
            })
        try Self.check(hanko_curl_set_pointer(handle, CURLOPT_PREREQDATA, context))
        try Self.check(
            hanko_curl_set_before_request(handle) { context, _, _, _, localPort in
                guard let context else { return CURL_PREREQFUNC_ABORT }
                let transfer = context.assumingMemoryBound(to: Transfer.self)
                return transfer.pointee.mayUseConnection(localPort: Int(localPort), UnsafePointer(transfer))
                    ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            })
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
