import CCurl

/// Opens many connections at once on one thread (libcurl's multi interface), and holds them until they are closed: with a
/// multi handle a connection belongs to the pool of that. Everything happens inside the exit gate, which the caller
/// enters.
final class ConnectionOpener {
    private var multi: UnsafeMutableRawPointer
    private let poller: SocketPoller
    private let gate: ExitGate
    /// By which its sockets are known.
    private let number: Int
    /// When libcurl wants to be called again, on the monotonic clock; nil: when a socket has something.
    private var timer: Int64?
    private var openingCount = 0
    /// How many connections it has.
    private(set) var heldCount = 0
    /// libcurl failed in the middle of something, for want of memory: all that it has must be closed. It may have lost
    /// track of a socket, and its 7.88 divides by zero when it meets that socket again.
    private(set) var isBroken = false

    /// - Parameter number: by which its sockets are known, from 0.
    /// - Returns: nil when memory or descriptors are lacking.
    static func make(
        _ poller: SocketPoller, _ process: ProcessResources, number: Int
    ) -> ConnectionOpener? {
        guard process.gate.enter() else { return nil }
        defer { process.gate.leave() }
        guard let multi = curl_multi_init() else { return nil }
        let opener = ConnectionOpener(multi, poller, process.gate, number: number)
        return opener.prepare(multi) ? opener : nil
    }

    private init(_ multi: UnsafeMutableRawPointer, _ poller: SocketPoller, _ gate: ExitGate, number: Int) {
        self.number = number
        self.multi = multi
        self.poller = poller
        self.gate = gate
    }

    deinit {
        // When the process exits, the TLS library may be gone already.
        guard gate.enter() else { return }
        curl_multi_cleanup(multi)
        gate.leave()
    }

    @inline(never)
    private func prepare(_ multi: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let watch = hanko_curl_multi_set_socket(
            multi,
            { _, socket, what, context, _ in
                guard let context else { return -1 }
                return ConnectionOpener.opener(at: context).watch(socket, what) ? 0 : -1
            }, context)
        let time = hanko_curl_multi_set_timer(
            multi,
            { _, milliseconds, context in
                guard let context else { return -1 }
                ConnectionOpener.opener(at: context).setTimer(milliseconds)
                return 0
            }, context)
        return watch == CURLM_OK && time == CURLM_OK && hanko_curl_multi_set_quick_exit(multi) == CURLM_OK
    }

    private static func opener(at context: UnsafeMutableRawPointer) -> ConnectionOpener {
        Unmanaged<ConnectionOpener>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Connections

    /// Begins to open a connection, which must be prepared for that; `nextOpened` tells how that ended. `release` must
    /// follow.
    ///
    /// - Returns: false when there is no memory.
    func begin(_ connection: Connection) -> Bool {
        guard
            !isBroken || startAnew(),
            hanko_curl_set_pointer(
                connection.handle, CURLOPT_PRIVATE, Unmanaged.passUnretained(connection).toOpaque()) == CURLE_OK,
            curl_multi_add_handle(multi, connection.handle) == CURLM_OK
        else { return false }
        openingCount &+= 1
        heldCount &+= 1
        return true
    }

    /// Lets a connection go that was begun, whether it is open or not; libcurl closes it.
    func release(_ connection: Connection, isOpening: Bool) {
        if isOpening { openingCount &-= 1 }
        heldCount &-= 1
        curl_multi_remove_handle(multi, connection.handle)
    }

    /// - Returns: false when there is no memory.
    private func startAnew() -> Bool {
        guard heldCount == 0, let fresh = curl_multi_init() else { return false }
        guard prepare(fresh) else {
            curl_multi_cleanup(fresh)
            return false
        }
        curl_multi_cleanup(multi)
        multi = fresh
        timer = nil
        isBroken = false
        return true
    }

    /// Lets libcurl do what can be done without waiting, for what a socket has.
    func work(_ event: SocketPoller.Event, on socket: Int32) {
        let what =
            (event.hasInput ? CURL_CSELECT_IN : 0) | (event.hasOutput ? CURL_CSELECT_OUT : 0)
            | (event.hasError ? CURL_CSELECT_ERR : 0)
        act(on: socket, what)
    }

    /// Likewise for its timer.
    func workForTimer() {
        // What was begun meanwhile has its timer at once. It may ask for another round; not for ever, others wait.
        var rounds = 8
        while let timer, timer <= Clock.monotonicNanoseconds(), rounds > 0, !isBroken {
            self.timer = nil
            act(on: hanko_curl_socket_timeout(), 0)
            rounds &-= 1
        }
    }

    @inline(never)
    private func act(on socket: curl_socket_t, _ what: Int32) {
        guard !isBroken else { return }
        var count: Int32 = 0
        if curl_multi_socket_action(multi, socket, what, &count) != CURLM_OK { isBroken = true }
    }

    /// The next connection that is open, or could not be opened; nil when there is none.
    func nextOpened() -> (Connection, CURLcode)? {
        var left: Int32 = 0
        while openingCount > 0, let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let context = hanko_curl_get_private(handle)
            else { continue }
            openingCount &-= 1
            return (Connection.connection(at: context), hanko_curl_message_result(message))
        }
        return nil
    }

    /// When `workForTimer` is to be called; nil: when an event comes.
    var nextMoment: Int64? {
        // Each connection has a timeout; where libcurl wants no call in spite of that, it had no memory to say so.
        if timer == nil, openingCount > 0 { setTimer(20) }
        return timer
    }

    // MARK: What libcurl calls

    private func watch(_ socket: curl_socket_t, _ what: Int32) -> Bool {
        poller.watch(
            socket, opener: number, input: what == CURL_POLL_IN || what == CURL_POLL_INOUT,
            output: what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    }

    private func setTimer(_ milliseconds: Int) {
        guard milliseconds >= 0 else {
            timer = nil
            return
        }
        let delay = Int64(min(milliseconds, 3_600_000)) &* 1_000_000
        timer = milliseconds == 0 ? 0 : Clock.monotonicNanoseconds() &+ delay
    }
}
