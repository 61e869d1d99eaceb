import CCurl
import CSystem

/// One connection to Hanko, ours from connect to close: libcurl opens it (names, proxies, TLS, trust) and carries its
/// bytes; what they mean, `ConnectionState` says. Used by one thread at a time.
final class Connection {
    let handle: UnsafeMutableRawPointer
    /// Where it is among the connections of a queue.
    var slot = 0
    /// The number of the one that opens it there.
    var opener = 0
    private(set) var socket: Int32 = -1
    private var state = ConnectionState()
    private let gate: ExitGate
    private let received: UnsafeMutablePointer<UInt8>
    private var random = RandomNumbers()
    private var openingDeadline = Deadline(nanoseconds: 0)
    /// The last socket could not be opened because there are too many descriptors.
    private var lacksDescriptors = false
    private let descriptors: DescriptorRegistry
    private let mayHideInput: Bool

    private static var receivedCapacity: Int { 4096 }
    /// How often the TLS library is asked again while the socket has input: more than a server sends session tickets.
    private static var maximumRepeats: Int { 64 }

    // MARK: Opening

    /// Prepares a connection.
    ///
    /// - Throws: why libcurl cannot be used.
    @inline(never)
    static func make(_ settings: ConnectionSettings) throws(TransportFailure) -> Connection {
        // Memory may have run out while the call waited in line.
        guard Memory.isAvailable else { throw .localShortage }
        guard settings.process.gate.enter() else { throw .processExits }
        defer { settings.process.gate.leave() }
        guard let received = malloc(receivedCapacity)?.assumingMemoryBound(to: UInt8.self) else { throw .localShortage }
        guard let handle = curl_easy_init() else {
            free(received)
            throw .localShortage
        }
        // From here on its `deinit` cleans up. Not a throwing initialiser: Embedded Swift does not free the object of
        // one that fails.
        let connection = Connection(handle, received, settings.process)
        try connection.set(settings)
        return connection
    }

    private init(
        _ handle: UnsafeMutableRawPointer, _ received: UnsafeMutablePointer<UInt8>, _ process: ProcessResources
    ) {
        self.handle = handle
        self.received = received
        gate = process.gate
        descriptors = process.descriptors
        mayHideInput = process.library.mayHideInput
    }

    deinit {
        free(received)
        // When the process exits, the TLS library may be gone already; then everything stays as it is.
        guard gate.enter() else { return }
        curl_easy_cleanup(handle)
        gate.leave()
    }

    /// Says when the connection must be there.
    ///
    /// - Throws: `.deadline` when that is over.
    func prepareOpening(until deadline: Deadline) throws(TransportFailure) {
        openingDeadline = deadline
        let remaining = deadline.remainingMilliseconds(at: Clock.monotonicNanoseconds())
        guard remaining > 0 else { throw .deadline }
        try CurlOptions(handle).set(CURLOPT_TIMEOUT_MS, Int(remaining))
    }

    /// Opens the connection, and blocks until it is there.
    ///
    /// - Throws: why it is not.
    @inline(never)
    func open(until deadline: Deadline) throws(TransportFailure) {
        try prepareOpening(until: deadline)
        guard gate.enter() else { throw .processExits }
        let code = curl_easy_perform(handle)
        gate.leave()
        try opened(code)
    }

    /// libcurl has opened the connection, or failed to. An exchange must be begun before libcurl is used for anything
    /// else: with the first look the handle takes hold of its connection.
    ///
    /// - Throws: why there is none.
    @inline(never)
    func opened(_ code: CURLcode) throws(TransportFailure) {
        guard code == CURLE_OK else { throw failure(code) }
        guard hanko_curl_get_socket(handle, &socket) == CURLE_OK, socket >= 0 else { throw .connect }
        state.opened(at: Clock.monotonicNanoseconds())
    }

    @inline(never)
    private func failure(_ code: CURLcode) -> TransportFailure {
        // What breaks because the gate woke this thread says nothing about the server.
        if gate.isClosed { return .processExits }
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            // Both timeouts have one code.
            let isOver = openingDeadline.remainingMilliseconds(at: Clock.monotonicNanoseconds()) <= 1
            return isOver ? .deadline : .connectTimeout
        case CURLE_COULDNT_CONNECT where lacksDescriptors, CURLE_SSL_CACERT_BADFILE where lacksDescriptors,
            CURLE_SSL_CONNECT_ERROR where lacksDescriptors:
            return .localShortage
        default:
            var proxyStatus = 0
            if hanko_curl_get_long(handle, CURLINFO_HTTP_CONNECTCODE, &proxyStatus) == CURLE_OK, proxyStatus >= 300 {
                return .proxyRefused(Int32(truncatingIfNeeded: proxyStatus))
            }
            return TransportFailure(code)
        }
    }

    private func set(_ settings: ConnectionSettings) throws(TransportFailure) {
        let options = CurlOptions(handle)
        try options.set(CURLOPT_URL, settings.url.text)
        // No more than connecting, to the proxy and through it and TLS included.
        try options.set(CURLOPT_CONNECT_ONLY, 1)
        try options.set(CURLOPT_NOSIGNAL, 1)
        // Otherwise libcurl waits for its resolver thread, and a silent name server outlasts the deadline.
        try options.set(CURLOPT_QUICK_EXIT, 1)
        try options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        // ALPN then offers nothing else.
        try options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)

        try options.set(CURLOPT_SSL_VERIFYPEER, 1)
        try options.set(CURLOPT_SSL_VERIFYHOST, 2)
        try options.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let caFile = settings.configuration.caFile {
            try options.set(CURLOPT_CAINFO, caFile)
            // A private authority instead of the system's, not beside them.
            try options.set(CURLOPT_CAPATH, nil)
        }

        // Both always, empty ones as well: otherwise libcurl asks the environment.
        try options.set(CURLOPT_PROXY, settings.configuration.proxy.url)
        try options.set(CURLOPT_NOPROXY, settings.configuration.proxy.exceptions)
        // The requests are ours, so a proxy for http:// must make a connection as one for https:// does.
        try options.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        try options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try options.set(CURLOPT_USERAGENT, "libhanko/\(LibraryVersion.text)")

        try options.set(CURLOPT_CONNECTTIMEOUT_MS, Int(settings.configuration.connectTimeoutMilliseconds))
        try options.set(CURLOPT_TCP_NODELAY, 1)
        try options.set(CURLOPT_TCP_KEEPALIVE, 1)
        try options.setCallbacks(
            opening: Unmanaged.passUnretained(self).toOpaque(),
            closing: Unmanaged.passUnretained(descriptors).toOpaque())
    }

    /// Opens a socket for libcurl.
    func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let socket = descriptors.openSocket(
            family: address.pointee.family, type: address.pointee.socktype, protocol: address.pointee.protocol)
        // TLS opens a file of certificates next, and its error would not tell a bad file from none that could be opened.
        lacksDescriptors = hanko_lacks_descriptors(socket) != 0
        return socket
    }

    static func connection(at context: UnsafeMutableRawPointer) -> Connection {
        Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Exchanges

    /// Whether it may serve a request, as far as can be said without looking at it.
    func mayServe(at now: Int64) -> Bool { state.mayServe(at: now) }

    /// Begins to ask about a token, or for the key set where there is none.
    ///
    /// - Parameters:
    ///   - token: the text of a `SessionToken`.
    ///   - writer: writes the request.
    /// - Returns: what to wait for; nil when the exchange is over already.
    func begin(_ token: ByteView?, _ writer: RequestWriter) -> ConnectionState.Wait? {
        var id: RequestID?
        if let high = random.next(), let low = random.next() { id = RequestID(high: high, low: low) }
        let action = state.begin(id ?? RequestID(high: 0, low: 0)) { buffer in
            guard let id else { return false }
            guard let token else { return writer.writeKeySet(id: id, to: &buffer) }
            return writer.writeValidation(of: token, id: id, to: &buffer)
        }
        return carryOut(action)
    }

    /// Looks for what came on a kept connection before the other side closed it; the connection is then closed here.
    @inline(never)
    func lookForUnaskedBytes() {
        var count = 0
        guard curl_easy_recv(handle, received, Self.receivedCapacity, &count) == CURLE_OK, count > 0 else { return }
        explicit_bzero(received, count)
        state.spokeWhileIdle()
    }

    /// What was waited for may have come.
    ///
    /// - Returns: what to wait for; nil when the exchange is over.
    func goOn() -> ConnectionState.Wait? { carryOut(state.ready()) }

    /// The time to wait is over.
    @inline(never)
    func stopWaiting() {
        if state.isWindingUp { _ = state.windUp() } else { state.giveUp(.deadline) }
    }

    @inline(never)
    func giveUp(_ failure: TransportFailure) { state.giveUp(failure) }

    /// Begins an exchange, or goes on with it, and blocks until it is over.
    @inline(never)
    func exchange(_ token: ByteView?, _ writer: RequestWriter, until deadline: Deadline) {
        guard gate.enter() else { return state.giveUp(.processExits) }
        defer { gate.leave() }
        var wait = begin(token, writer)
        var end = deadline.nanoseconds
        while let wanted = wait {
            let now = Clock.monotonicNanoseconds()
            if state.isWindingUp { end = min(end, now &+ Self.longestWindingUp) }
            let rest = Deadline(nanoseconds: end).remainingMilliseconds(at: now)
            guard rest > 0 else { return stopWaiting() }
            let milliseconds = Int32(truncatingIfNeeded: min(rest, 3_600_000))
            _ = hanko_wait_for(socket, wanted == .inputOrOutput ? 1 : 0, milliseconds)
            // What breaks because the gate woke this thread says nothing about the server.
            if gate.isClosed { return state.giveUp(.processExits) }
            wait = goOn()
        }
    }

    /// For how long something is waited for that nobody needs.
    static var longestWindingUp: Int64 { 100_000_000 }

    var isWindingUp: Bool { state.isWindingUp }

    @inline(never)
    private func carryOut(_ action: ConnectionState.Action) -> ConnectionState.Wait? {
        var action = action
        while true {
            switch action {
            case .send: action = send()
            case .receive: action = receive()
            case .wait(let wait): return wait
            case .end: return nil
            }
        }
    }

    private func send() -> ConnectionState.Action {
        var sent = 0
        let code = state.withUnsent { curl_easy_send(handle, $0.start, $0.count, &sent) }
        switch code {
        case CURLE_OK: return state.sent(sent)
        case CURLE_AGAIN: return state.sentNothing()
        case CURLE_OUT_OF_MEMORY: return state.lacksMemory()
        default: return state.sendFailed()
        }
    }

    private func receive() -> ConnectionState.Action {
        var count = 0
        var code = curl_easy_recv(handle, received, Self.receivedCapacity, &count)
        if code == CURLE_AGAIN, mayHideInput { code = receiveAgain(&count) }
        switch code {
        case CURLE_OK where count > 0:
            let action = state.received(ByteView(received, count: count))
            explicit_bzero(received, count)
            return action
        case CURLE_OK: return state.receivedEnd()
        case CURLE_AGAIN: return state.receivedNothing()
        case CURLE_OUT_OF_MEMORY: return state.lacksMemory()
        default: return state.broke()
        }
    }

    /// Receives while the socket has input: what is left in it would not be told again, and might be what nobody asked
    /// for.
    @inline(never)
    private func receiveAgain(_ count: inout Int) -> CURLcode {
        var code = CURLE_AGAIN
        var repeats = 0
        while code == CURLE_AGAIN, repeats < Self.maximumRepeats, hanko_wait_for(socket, 0, 0) > 0 {
            code = curl_easy_recv(handle, received, Self.receivedCapacity, &count)
            repeats &+= 1
        }
        return code
    }

    // MARK: How an exchange ended

    /// Gives the end of the exchange to a function; the answer in it must not leave the function.
    func withEnd<Result>(_ body: (ExchangeEnd) -> Result) -> Result { state.withEnd(body) }

    /// A kept connection was of no use; nothing was sent on it.
    var isDead: Bool { state.isDead }
    var spokeUnasked: Bool { state.spokeUnasked }
    var hasSent: Bool { state.hasSent }
    var use: ConnectionUse { state.use }

    /// The exchange is over and nobody needs its answer any more: overwrites it, and the request, with zeros.
    ///
    /// - Returns: whether the connection may serve again.
    func finish() -> Bool { state.finish(at: Clock.monotonicNanoseconds()) }
}
