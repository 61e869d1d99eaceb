import CCurl
import CSystem

/// One request at a time on one handle of libcurl: the POST that asks about a token, or the GET for the key set. Used by
/// one thread at a time, which either blocks in it (`perform`) or lets a `TransferLoop` carry it out.
final class Exchange {
    let handle: UnsafeMutableRawPointer
    /// Where the driver finds what the exchange is for.
    var slot = 0
    /// A `TransferLoop` carries it out just now.
    var isInLoop = false
    private let connections: ConnectionTable
    private let transfer: UnsafeMutablePointer<Transfer>
    private let validation: RequestTemplate
    private let keySet: RequestTemplate
    private let gate: ExitGate
    private var request = SecretBuffer()
    /// Nothing was prepared since the handle was made or given back.
    private var isUnused = true
    /// The handle is set to ask for the key set.
    private var asksForKeySet = false
    private var state = State.notPerformed
    private var deadline = Deadline(nanoseconds: 0)

    private enum State {
        case notPerformed
        /// Something else than libcurl ended it, before it began.
        case prevented(TransportFailure)
        case performed(CURLcode)
    }

    /// Prepares a handle for one address.
    ///
    /// - Throws: why libcurl cannot be used.
    static func make(
        _ configuration: Configuration, url: APIURL, process: ProcessResources, connections: ConnectionTable
    ) throws(TransportFailure) -> Exchange {
        // Memory may have run out while the call waited in line.
        guard Memory.isAvailable else { throw .localShortage }
        guard process.gate.enter() else { throw .processExits }
        defer { process.gate.leave() }
        let validation = try RequestTemplate.validation(url)
        let keySet: RequestTemplate
        do {
            keySet = try RequestTemplate.keySet(url)
        } catch {
            validation.free()
            throw error
        }
        guard let handle = curl_easy_init() else {
            validation.free()
            keySet.free()
            throw .localShortage
        }
        // From here on its `deinit` cleans up. Not a throwing initialiser: Embedded Swift does not free the object of
        // one that fails.
        let exchange = Exchange(handle, validation, keySet, process, connections)
        try exchange.set(configuration)
        return exchange
    }

    private init(
        _ handle: UnsafeMutableRawPointer, _ validation: RequestTemplate, _ keySet: RequestTemplate,
        _ process: ProcessResources, _ connections: ConnectionTable
    ) {
        self.handle = handle
        self.validation = validation
        self.keySet = keySet
        self.connections = connections
        gate = process.gate
        transfer = .allocate(capacity: 1)
        transfer.initialize(
            to: Transfer(handle: handle, tlsLibrary: process.library.tlsLibrary, connections: connections))
    }

    deinit {
        // When the process exits, the TLS library may be gone already; then everything stays as it is.
        guard gate.enter() else { return }
        // The handle goes first: closing its connection calls back into the transfer.
        curl_easy_cleanup(handle)
        connections.forget(transfer)
        transfer.deinitialize(count: 1)
        transfer.deallocate()
        validation.free()
        keySet.free()
        gate.leave()
    }

    // MARK: One exchange

    /// Prepares the request about a token. `erase` takes the token away again.
    ///
    /// - Parameters:
    ///   - token: the text of a `SessionToken`.
    ///   - deadline: when the exchange must be over.
    ///   - freshConnection: do not use a connection that is kept.
    /// - Returns: false when there is nothing to perform; `withEnd` tells why.
    func prepare(_ token: ByteView, until deadline: Deadline, freshConnection: Bool) -> Bool {
        prepare(until: deadline, freshConnection: freshConnection) { () throws(TransportFailure) in
            if asksForKeySet { try setValidation() }
            try load(token)
        }
    }

    /// Prepares the request for the key set, without a token.
    ///
    /// - Returns: false when there is nothing to perform; `withEnd` tells why.
    func prepareKeySet(until deadline: Deadline, freshConnection: Bool) -> Bool {
        prepare(until: deadline, freshConnection: freshConnection) { () throws(TransportFailure) in
            asksForKeySet = true
            let options = CurlOptions(handle)
            try options.set(CURLOPT_HTTPGET, 1)
            try options.set(keySet)
            transfer.pointee.requestLength = 0
        }
    }

    private func prepare(
        until deadline: Deadline, freshConnection: Bool, _ request: () throws(TransportFailure) -> Void
    ) -> Bool {
        self.deadline = deadline
        // The request for a key set goes over the connection of the exchange before, if that left one.
        releaseConnection()
        isUnused = false
        state = .notPerformed
        transfer.pointee.reset()
        do {
            try request()
            try setTime(until: deadline, freshConnection: freshConnection)
            return true
        } catch {
            state = .prevented(error)
            return false
        }
    }

    private func setTime(until deadline: Deadline, freshConnection: Bool) throws(TransportFailure) {
        let remaining = deadline.remainingMilliseconds(at: Clock.monotonicNanoseconds())
        guard remaining > 0 else { throw .deadline }
        let options = CurlOptions(handle)
        try options.set(CURLOPT_TIMEOUT_MS, Int(remaining))
        try options.set(CURLOPT_FRESH_CONNECT, freshConnection ? 1 : 0)
    }

    /// Performs the prepared request, and blocks until it is over; `withEnd` tells what came.
    func perform() {
        guard gate.enter() else {
            prevent(.processExits)
            return
        }
        defer { gate.leave() }
        performed(curl_easy_perform(handle))
    }

    /// The prepared request could not be begun, or is given up.
    func prevent(_ failure: TransportFailure) { state = .prevented(failure) }

    /// The prepared request was performed.
    func performed(_ code: CURLcode) {
        // What breaks because the gate woke this thread says nothing about the server.
        state = code != CURLE_OK && gate.isClosed ? .prevented(.processExits) : .performed(code)
    }

    /// Writes the request for a token.
    ///
    /// - Throws: when there is no memory for it.
    private func load(_ token: ByteView) throws(TransportFailure) {
        let start = ByteView("{\"session_token\":")
        request.erase()
        // Room for all of it at once, unless the token has something to escape.
        guard request.reserve(start.count &+ token.count &+ 3) else { throw .localShortage }
        request.append(start)
        guard JSONWriter.appendString(token, to: &request), request.reserve(request.count &+ 1) else {
            throw .localShortage
        }
        request.append(ASCII.closeBrace)
        // What was cut short must not be sent: the answer would be a "no".
        guard !request.hasOverflowed else { throw .localShortage }
        transfer.pointee.requestLength = request.count
        let code = request.withView { body in
            // libcurl does not copy the body: it stays in memory that `erase` overwrites.
            let pointer = UnsafeMutableRawPointer(mutating: body.start)
            let code = hanko_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            return code == CURLE_OK ? hanko_curl_set_pointer(handle, CURLOPT_POSTFIELDS, pointer) : code
        }
        try CurlOptions.check(code)
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

    /// Decides whether handle and connection may serve another token.
    ///
    /// - Returns: false for a handle that must not be used again.
    @discardableResult
    func releaseConnection() -> Bool {
        if isUnused { return true }
        let socket = transfer.pointee.usedSocket
        guard socket >= 0 else { return false }
        transfer.pointee.usedSocket = -1
        if case .performed(CURLE_OK) = state, transfer.pointee.leavesConnectionClean {
            isUnused = connections.giveBack(socket, from: transfer)
            return isUnused
        }
        connections.discard(socket, from: transfer)
        return false
    }

    /// Overwrites the request and the answer with zeros.
    func erase() {
        request.erase()
        transfer.pointee.body.erase()
    }

    // MARK: How it ended

    /// The end of the exchange, the body excepted.
    private var end: ExchangeEnd {
        switch state {
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
        case CURLE_OUT_OF_MEMORY where receivedBytes && !head.isComplete && hanko_has_memory(131_072) != 0:
            // libcurl's word for a single line of a head that is longer than it takes, 100 KiB, as well.
            answer.headTooLarge = true
            return .answer(answer)
        case CURLE_COULDNT_CONNECT where transfer.pointee.lacksDescriptors,
            CURLE_SSL_CACERT_BADFILE where transfer.pointee.lacksDescriptors,
            CURLE_SSL_CONNECT_ERROR where transfer.pointee.lacksDescriptors:
            return .failure(.localShortage)
        default:
            return .failure(TransportFailure(code))
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

    // MARK: Preparing a handle

    /// What a request about a token has, and the one for the key set has not.
    private func setValidation() throws(TransportFailure) {
        let options = CurlOptions(handle)
        try options.set(CURLOPT_POST, 1)
        try options.set(validation)
        asksForKeySet = false
    }

    private func set(_ configuration: Configuration) throws(TransportFailure) {
        try setValidation()
        let options = CurlOptions(handle)
        try options.set(CURLOPT_NOSIGNAL, 1)
        // Otherwise libcurl waits for its resolver thread, and a silent name server outlasts the deadline.
        try options.set(CURLOPT_QUICK_EXIT, 1)

        try options.set(CURLOPT_PROTOCOLS_STR, "http,https")
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

        // Both always, empty ones as well: otherwise libcurl asks the environment.
        try options.set(CURLOPT_PROXY, configuration.proxy.url)
        try options.set(CURLOPT_NOPROXY, configuration.proxy.exceptions)
        // A proxy's own answer to CONNECT is not Hanko's.
        try options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)

        try options.set(CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectTimeoutMilliseconds))
        try options.set(CURLOPT_TCP_NODELAY, 1)
        try options.set(CURLOPT_TCP_KEEPALIVE, 1)
        // One handle keeps one connection, and not longer than common servers do (60 s and more).
        try options.set(CURLOPT_MAXCONNECTS, 1)
        try options.set(CURLOPT_MAXAGE_CONN, 50)

        try options.setCallbacks(transfer, connections)
    }
}
