import CCurl

/// Carries out many exchanges at once on one thread (libcurl's multi interface on a `SocketPoller`). Used by that thread,
/// except for `wake`. Everything but waiting happens inside the exit gate, which the caller enters.
final class TransferLoop {
    private var multi: UnsafeMutableRawPointer
    private let configuration: Configuration
    private let poller: SocketPoller
    private let gate: ExitGate
    let connections: ConnectionTable
    /// When libcurl wants to be called again, on the monotonic clock; nil: when a socket has something.
    private var timer: Int64?
    /// How many exchanges were begun and have neither ended nor been given up.
    private var running = 0
    private var events: [SocketPoller.Event] = []
    /// libcurl failed in the middle of something, for want of memory: what it has must be given up. It may have lost track
    /// of a socket, and its 7.88 divides by zero when it meets that socket again.
    private(set) var isBroken = false

    /// - Returns: nil when memory or descriptors are lacking.
    static func make(_ configuration: Configuration, process: ProcessResources) -> TransferLoop? {
        guard process.gate.enter() else { return nil }
        defer { process.gate.leave() }
        guard let poller = SocketPoller.make(process.descriptors), let multi = curl_multi_init() else { return nil }
        let loop = TransferLoop(multi, configuration, poller, process)
        return loop.prepare(multi) ? loop : nil
    }

    private init(
        _ multi: UnsafeMutableRawPointer, _ configuration: Configuration, _ poller: SocketPoller,
        _ process: ProcessResources
    ) {
        self.multi = multi
        self.configuration = configuration
        self.poller = poller
        gate = process.gate
        connections = ConnectionTable(process.descriptors, poller: poller)
    }

    deinit {
        // Closes the kept connections. When the process exits, the TLS library may be gone already.
        guard gate.enter() else { return }
        curl_multi_cleanup(multi)
        gate.leave()
    }

    private func prepare(_ multi: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let watch = hanko_curl_multi_set_socket(
            multi,
            { _, socket, what, context, _ in
                guard let context else { return -1 }
                TransferLoop.loop(at: context).watch(socket, what)
                return 0
            }, context)
        let time = hanko_curl_multi_set_timer(
            multi,
            { _, milliseconds, context in
                guard let context else { return -1 }
                TransferLoop.loop(at: context).setTimer(milliseconds)
                return 0
            }, context)
        // As many as may be in use stay open; libcurl's own number depends on how many handles it has just now.
        let kept = hanko_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Int(configuration.maximumConnections))
        return watch == CURLM_OK && time == CURLM_OK && kept == CURLM_OK
            && hanko_curl_multi_set_quick_exit(multi) == CURLM_OK
    }

    private static func loop(at context: UnsafeMutableRawPointer) -> TransferLoop {
        Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Transfers

    /// Begins a prepared exchange; `ended` gives it back.
    ///
    /// - Returns: false when there is no memory.
    func begin(_ exchange: Exchange) -> Bool {
        guard
            !isBroken || startAnew(),
            hanko_curl_set_pointer(exchange.handle, CURLOPT_PRIVATE, Unmanaged.passUnretained(exchange).toOpaque())
                == CURLE_OK, curl_multi_add_handle(multi, exchange.handle) == CURLM_OK
        else { return false }
        exchange.isInLoop = true
        running &+= 1
        return true
    }

    /// - Returns: false when there is no memory.
    private func startAnew() -> Bool {
        guard running == 0, let fresh = curl_multi_init() else { return false }
        guard prepare(fresh) else {
            curl_multi_cleanup(fresh)
            return false
        }
        // Closes the kept connections.
        curl_multi_cleanup(multi)
        multi = fresh
        timer = nil
        isBroken = false
        return true
    }

    /// Gives up an exchange that has not ended; libcurl closes its connection.
    func giveUp(_ exchange: Exchange) {
        guard exchange.isInLoop else { return }
        exchange.isInLoop = false
        running &-= 1
        curl_multi_remove_handle(multi, exchange.handle)
    }

    /// Lets libcurl do what can be done without waiting, for the events of the last wait and for its timer.
    func work() {
        for event in events where !isBroken {
            let what =
                (event.hasInput ? CURL_CSELECT_IN : 0) | (event.hasOutput ? CURL_CSELECT_OUT : 0)
                | (event.hasError ? CURL_CSELECT_ERR : 0)
            act(on: event.socket, what)
        }
        events.removeAll(keepingCapacity: true)
        // What was begun meanwhile has its timer at once. It may ask for another round; not for ever, others wait.
        var rounds = 8
        while let timer, timer <= Clock.monotonicNanoseconds(), rounds > 0, !isBroken {
            self.timer = nil
            act(on: hanko_curl_socket_timeout(), 0)
            rounds &-= 1
        }
    }

    private func act(on socket: curl_socket_t, _ what: Int32) {
        var count: Int32 = 0
        if curl_multi_socket_action(multi, socket, what, &count) != CURLM_OK { isBroken = true }
    }

    /// The next exchange that has ended; nil when there is none.
    func nextEnded() -> Exchange? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let context = hanko_curl_get_private(handle)
            else { continue }
            let code = hanko_curl_message_result(message)
            let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
            // The message is gone after this.
            giveUp(exchange)
            exchange.performed(code)
            return exchange
        }
        return nil
    }

    // MARK: Waiting

    /// Ends the wait that is going on, or the next one; from any thread.
    func wake() { poller.wake() }

    /// Waits until there is work, `wake` is called or a moment has come; nil: without end.
    func wait(until moment: Int64?) {
        // Each exchange has a timeout; where libcurl wants no call in spite of that, it had no memory to say so.
        if timer == nil, running > 0 { setTimer(20) }
        let next = timer.map { timer in moment.map { min($0, timer) } ?? timer } ?? moment
        var milliseconds: Int32 = -1
        if let next {
            let rest = Deadline(nanoseconds: next).remainingMilliseconds(at: Clock.monotonicNanoseconds())
            milliseconds = Int32(min(rest, 3_600_000))
        }
        poller.wait(milliseconds: milliseconds) { events.append($0) }
    }

    // MARK: What libcurl calls

    private func watch(_ socket: curl_socket_t, _ what: Int32) {
        poller.want(
            socket, input: what == CURL_POLL_IN || what == CURL_POLL_INOUT,
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
