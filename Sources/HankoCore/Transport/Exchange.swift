import CCurl
import CSystem

/// One request at a time on one handle of libcurl, with the connection that the handle keeps: the POST that asks about a
/// token, or the GET for the key set. Used by one thread at a time.
final class Exchange {
    private let handle: UnsafeMutableRawPointer
    private let transfer: UnsafeMutablePointer<Transfer>
    private let headers: RequestHeaders
    private let url: APIURL
    private let gate: ExitGate
    private var request = SecretBuffer()
    /// How many bytes of a body the last request had.
    private var bodyLength = 0
    private var outcome = Outcome.notPerformed
    private var deadline = Deadline(nanoseconds: 0)

    private enum Outcome {
        case notPerformed
        /// Something else than libcurl ended it, before it began.
        case prevented(TransportFailure)
        case performed(CURLcode)
    }

    /// Prepares a handle for one address.
    ///
    /// - Throws: why libcurl cannot be used.
    static func make(
        _ configuration: Configuration, url: APIURL, process: ProcessResources
    ) throws(TransportFailure) -> Exchange {
        guard process.gate.enter() else { throw .processExits }
        defer { process.gate.leave() }
        let headers = try RequestHeaders()
        guard let handle = curl_easy_init() else {
            headers.free()
            throw .localShortage
        }
        // From here on its `deinit` cleans up. Not a throwing initialiser: Embedded Swift does not free the object of
        // one that fails.
        let exchange = Exchange(handle, headers, url, process)
        try exchange.set(configuration)
        return exchange
    }

    private init(
        _ handle: UnsafeMutableRawPointer, _ headers: RequestHeaders, _ url: APIURL, _ process: ProcessResources
    ) {
        self.handle = handle
        self.headers = headers
        self.url = url
        gate = process.gate
        transfer = .allocate(capacity: 1)
        transfer.initialize(
            to: Transfer(handle: handle, tlsLibrary: process.library.tlsLibrary, registry: process.sockets))
    }

    deinit {
        // When the process exits, the TLS library may be gone already; then everything stays as it is.
        guard gate.enter() else { return }
        // The handle goes first: closing its connection calls back into the transfer.
        curl_easy_cleanup(handle)
        transfer.deinitialize(count: 1)
        transfer.deallocate()
        headers.free()
        gate.leave()
    }

    // MARK: One exchange

    /// Asks about a token; `withEnd` tells what came. `erase` takes the token away again.
    ///
    /// - Parameters:
    ///   - token: has passed `SessionToken.refusal`.
    ///   - deadline: when the exchange must be over.
    ///   - freshConnection: do not use the connection that the handle keeps.
    func ask(about token: ByteView, until deadline: Deadline, freshConnection: Bool) {
        do {
            try load(token)
            perform(until: deadline, freshConnection: freshConnection)
        } catch {
            outcome = .prevented(error)
        }
    }

    /// Asks for the key set, without a token; `withEnd` tells what came.
    func askForKeySet(until deadline: Deadline, freshConnection: Bool) {
        // Over the connection of the exchange before, if that left one.
        let hasConnection = keepConnection()
        do {
            let options = CurlOptions(handle)
            try options.set(CURLOPT_HTTPGET, 1)
            try options.set(CURLOPT_URL, url.keySetURL)
            try options.set(CURLOPT_HTTPHEADER, headers.forKeySet)
            bodyLength = 0
            perform(until: deadline, freshConnection: freshConnection || !hasConnection)
            try setValidation()
        } catch {
            outcome = .prevented(error)
        }
    }

    /// Writes the request for a token.
    ///
    /// - Throws: when there is no memory for it.
    private func load(_ token: ByteView) throws(TransportFailure) {
        let start = ByteView("{\"session_token\":")
        request.erase()
        guard request.reserve(start.count &+ JSONWriter.stringLength(of: token) &+ 1) else { throw .localShortage }
        request.append(start)
        JSONWriter.appendString(token, to: &request)
        request.append(0x7D)
        bodyLength = request.count
        let code = request.withView { body in
            // libcurl does not copy the body: it stays in memory that `erase` overwrites.
            let pointer = UnsafeMutableRawPointer(mutating: body.start)
            let code = hanko_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            return code == CURLE_OK ? hanko_curl_set_pointer(handle, CURLOPT_POSTFIELDS, pointer) : code
        }
        try CurlOptions.check(code)
    }

    private func perform(until deadline: Deadline, freshConnection: Bool) {
        self.deadline = deadline
        transfer.pointee.reset()
        let remaining = deadline.remainingMilliseconds(at: Clock.monotonicNanoseconds())
        guard remaining > 0 else {
            outcome = .prevented(.deadline)
            return
        }
        guard gate.enter() else {
            outcome = .prevented(.processExits)
            return
        }
        defer { gate.leave() }
        do {
            let options = CurlOptions(handle)
            try options.set(CURLOPT_TIMEOUT_MS, Int(remaining))
            try options.set(CURLOPT_FRESH_CONNECT, freshConnection ? 1 : 0)
            let code = curl_easy_perform(handle)
            // What breaks because the gate woke this thread says nothing about the server.
            outcome = code != CURLE_OK && gate.isClosed ? .prevented(.processExits) : .performed(code)
        } catch {
            outcome = .prevented(error)
        }
    }

    /// Gives the end of the exchange to a function; the answer in it must not leave the function.
    func withEnd<Result>(_ body: (ExchangeEnd) -> Result) -> Result {
        let end = end
        guard case .answer(var answer) = end else { return body(end) }
        return transfer.pointee.body.withView { bytes in
            answer.body = bytes
            return body(.answer(answer))
        }
    }

    /// Whether the exchange went over a connection that was kept from an earlier one.
    var usedKeptConnection: Bool { transfer.pointee.reachedRequest && !transfer.pointee.openedConnection }

    /// Whether at least one line of an answer arrived.
    var answerBegan: Bool { transfer.pointee.head.hasBegun }

    /// How many requests went out: one, or two where libcurl replaced a dead connection by itself.
    var sentRequests: UInt64 { transfer.pointee.sentRequests }

    /// How many of them went out on a connection that was new.
    var openedConnections: UInt64 { transfer.pointee.openedConnections }

    /// Decides whether handle and connection may serve another token: only after a 200 that was read to its declared end,
    /// for a request that was sent whole. Everything else may leave something behind.
    func keepConnection() -> Bool {
        guard case .performed(CURLE_OK) = outcome, transfer.pointee.head.status == 200, transfer.pointee.endedCleanly
        else { return false }
        var sent: curl_off_t = 0
        guard hanko_curl_get_size(handle, CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK, Int(sent) == bodyLength else {
            return false
        }
        // The one to look at before the next request. libcurl opens others, too, and closes those that it did not
        // choose without a word.
        return hanko_curl_get_socket(handle, &transfer.pointee.keptSocket) == CURLE_OK
            && transfer.pointee.keptSocket >= 0
    }

    /// Overwrites the request and the answer with zeros.
    func erase() {
        request.erase()
        transfer.pointee.body.erase()
    }

    // MARK: How it ended

    /// The end of the exchange, the body excepted.
    private var end: ExchangeEnd {
        switch outcome {
        case .notPerformed: .failure(.other(0))
        case .prevented(let failure): .failure(failure)
        case .performed(let code): end(with: code)
        }
    }

    private func end(with code: CURLcode) -> ExchangeEnd {
        let head = transfer.pointee.head
        var answer = Answer()
        answer.status = head.status
        answer.headTooLarge = head.isTooLarge
        answer.bodyTooLarge = transfer.pointee.bodyTooLarge
        answer.contentLengthsDiffer = head.contentLengthsDiffer
        answer.date = head.date
        answer.retryAfter = head.retryAfter
        answer.age = head.age
        // What the callbacks decided comes first: libcurl knows only that they ended the transfer.
        if transfer.pointee.foundUnaskedBytes { return .failure(.unaskedBytes) }
        if transfer.pointee.ranOutOfMemory { return .failure(.localShortage) }
        if transfer.pointee.hasBrokenFraming { return .failure(.notHTTP) }
        if head.isTooLarge || transfer.pointee.bodyTooLarge { return .answer(answer) }
        if head.isComplete && !transfer.pointee.needsBody { return .answer(answer) }
        switch code {
        case CURLE_OK:
            if head.isComplete { return transfer.pointee.bodyIsComplete ? .answer(answer) : .failure(.bodyCutShort) }
            return .failure(head.status == 0 ? .notHTTP : .connectionLost)
        case CURLE_OPERATION_TIMEDOUT:
            return .failure(timeout)
        case CURLE_OUT_OF_MEMORY where receivedBytes && !head.isComplete:
            // libcurl's word for a single line of a head that is longer than it takes, 100 KiB.
            answer.headTooLarge = true
            return .answer(answer)
        case CURLE_COULDNT_CONNECT where transfer.pointee.lacksDescriptors,
            CURLE_SSL_CACERT_BADFILE where transfer.pointee.lacksDescriptors,
            CURLE_SSL_CONNECT_ERROR where transfer.pointee.lacksDescriptors:
            return .failure(.localShortage)
        default:
            return .failure(Self.failure(of: code))
        }
    }

    /// Whether libcurl has read anything since the request was sent, complete line or not.
    private var receivedBytes: Bool {
        var microseconds: curl_off_t = 0
        return hanko_curl_get_size(handle, CURLINFO_STARTTRANSFER_TIME_T, &microseconds) == CURLE_OK && microseconds > 0
    }

    private var timeout: TransportFailure {
        // Both timeouts have one code. A connect timeout comes while there is no connection and time is left.
        let isOver = deadline.remainingMilliseconds(at: Clock.monotonicNanoseconds()) <= 1
        return isOver || transfer.pointee.reachedRequest ? .deadline : .connectTimeout
    }

    private static func failure(of code: CURLcode) -> TransportFailure {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: .resolve
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
        case CURLE_COULDNT_CONNECT: .connect
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: .certificate
        case CURLE_SSL_CACERT_BADFILE: .certificateFile
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            .tls
        case CURLE_GOT_NOTHING: .emptyReply
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR: .connectionLost
        case CURLE_PARTIAL_FILE: .bodyCutShort
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM: .notHTTP
        case CURLE_OUT_OF_MEMORY: .localShortage
        case CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION, CURLE_BAD_FUNCTION_ARGUMENT:
            .unusableLibrary(Int32(bitPattern: code.rawValue))
        default: .other(Int32(bitPattern: code.rawValue))
        }
    }

    // MARK: Preparing a handle

    /// What a request about a token has, and the one for the key set has not.
    private func setValidation() throws(TransportFailure) {
        let options = CurlOptions(handle)
        try options.set(CURLOPT_POST, 1)
        try options.set(CURLOPT_URL, url.validateURL)
        try options.set(CURLOPT_HTTPHEADER, headers.forValidation)
    }

    private func set(_ configuration: Configuration) throws(TransportFailure) {
        try setValidation()
        let options = CurlOptions(handle)
        try options.set(CURLOPT_NOSIGNAL, 1)
        // Otherwise libcurl waits for its resolver thread, and a silent name server outlasts the deadline.
        try options.set(CURLOPT_QUICK_EXIT, 1)

        try options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try options.set(CURLOPT_USERAGENT, "libhanko/\(LibraryVersion.text)")
        try options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        try options.set(CURLOPT_HTTP09_ALLOWED, 0)
        // Chunks are taken apart in ChunkedBody, which says why.
        try options.set(CURLOPT_HTTP_TRANSFER_DECODING, 0)
        try options.set(CURLOPT_FOLLOWLOCATION, 0)

        try options.set(CURLOPT_SSL_VERIFYPEER, 1)
        try options.set(CURLOPT_SSL_VERIFYHOST, 2)
        try options.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let caFile = configuration.caFile {
            try options.set(CURLOPT_CAINFO, caFile)
            // A private authority instead of the system's, not beside them.
            try options.set(CURLOPT_CAPATH, nil)
        }

        if url.isLoopback || hanko_runs_with_raised_privileges() != 0 {
            // An empty proxy means none, whatever the environment says.
            try options.set(CURLOPT_PROXY, "")
        }
        // A proxy's own answer to CONNECT is not Hanko's.
        try options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)

        try options.set(CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectTimeoutMilliseconds))
        try options.set(CURLOPT_TCP_NODELAY, 1)
        try options.set(CURLOPT_TCP_KEEPALIVE, 1)
        // One handle keeps one connection, and not longer than common servers do (60 s and more).
        try options.set(CURLOPT_MAXCONNECTS, 1)
        try options.set(CURLOPT_MAXAGE_CONN, 50)

        try options.setCallbacks(transfer)
    }
}
