import HankoCore

/// Carries out what a `ConnectionState` says, as the drivers do, with events in the place of a socket, and looks at
/// each exchange with rules that share no line with it.
enum ConnectionCourse {
    /// How one exchange ended.
    struct Exchange: Equatable {
        enum End: Equatable {
            case answer(status: Int, body: [UInt8], isEarly: Bool)
            case failure(TransportFailure)
        }

        let end: End
        let isKept: Bool
        let spokeUnasked: Bool
    }

    private static let id = RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
    private static let request = Array("POST / HTTP/1.1\r\n\r\n".utf8)

    private typealias Event = ConnectionInput.Event

    /// What the environment has seen of one exchange.
    private struct Seen {
        var sentCount = 0
        /// Before the request had been sent whole.
        var early: [UInt8] = []
        var answer: [UInt8] = []
        var hasEnded = false
        /// Failures, shortages, and time that was over: what is received is then no answer by itself.
        var wasDisturbed = false
        var foundNothing = false

        var isWhole: Bool { sentCount >= request.count }
    }

    /// Runs exchanges until the events or the connection are at their end.
    static func run(_ given: ConnectionInput) -> [Exchange] {
        var input = given
        var state = ConnectionState()
        state.opened(at: 0)
        var exchanges: [Exchange] = []
        while exchanges.count < 64 {
            var seen = Seen()
            var action = begin(&state)
            while action != .end {
                if action == .send { require(seen.foundNothing, "it sends without a look right before") }
                guard let event = event(for: action, &input) else {
                    seen.wasDisturbed = true
                    state.giveUp(.deadline)
                    break
                }
                action = tell(event, for: action, &state, &seen)
            }
            let exchange = finish(&state, seen)
            exchanges.append(exchange)
            if !exchange.isKept { return exchanges }
        }
        return exchanges
    }

    private static func begin(_ state: inout ConnectionState) -> ConnectionState.Action {
        state.begin(id) { buffer in
            buffer.erase()
            guard buffer.reserve(request.count) else { return false }
            withExactCopy(request) { buffer.append($0) }
            return true
        }
    }

    /// The next event that can follow an action; the others are passed over.
    private static func event(for action: ConnectionState.Action, _ input: inout ConnectionInput) -> Event? {
        while let event = input.next() {
            switch (action, event) {
            case (.receive, .nothing), (.receive, .bytes), (.receive, .end), (.receive, .failure),
                (.receive, .noMemory), (.send, .sentAll), (.send, .sent), (.send, .sentNothing), (.send, .failure),
                (.send, .noMemory), (.wait, .ready), (.wait, .late):
                return event
            default: continue
            }
        }
        return nil
    }

    private static func tell(
        _ event: Event, for action: ConnectionState.Action, _ state: inout ConnectionState, _ seen: inout Seen
    ) -> ConnectionState.Action {
        seen.foundNothing = event == .nothing
        switch event {
        case .nothing: return state.receivedNothing()
        case .bytes(let bytes):
            if seen.isWhole { seen.answer += bytes } else { seen.early += bytes }
            return withExactCopy(bytes) { state.received($0) }
        case .end:
            seen.hasEnded = true
            return state.receivedEnd()
        case .failure:
            seen.wasDisturbed = true
            return action == .send ? state.sendFailed() : state.broke()
        case .noMemory:
            seen.wasDisturbed = true
            return state.lacksMemory()
        case .sentAll, .sent:
            let left = request.count - seen.sentCount
            var count = left
            if case .sent(let some) = event { count = min(some, left) }
            require(state.withUnsent { $0.bytes() } == Array(request.suffix(left)), "it sends something else")
            seen.sentCount += count
            return state.sent(count)
        case .sentNothing: return state.sentNothing()
        case .ready: return state.ready()
        case .late:
            seen.wasDisturbed = true
            if state.isWindingUp { return state.windUp() }
            state.giveUp(.deadline)
            return .end
        }
    }

    private static func end(of state: borrowing ConnectionState) -> Exchange.End {
        state.withEnd { end in
            switch end {
            case .failure(let failure): return .failure(failure)
            case .answer(let answer):
                require(!answer.isEarly || !isVerdict(end), "a verdict that came too early")
                return .answer(status: answer.status, body: answer.body.bytes(), isEarly: answer.isEarly)
            }
        }
    }

    private static func finish(_ state: inout ConnectionState, _ seen: Seen) -> Exchange {
        let end = end(of: state)
        let use = state.use
        require((use.requestID != nil) == (seen.sentCount > 0), "whether anything was sent")
        if case .answer(let status, _, let isEarly) = end {
            require(isEarly == !seen.isWhole || isEarly && seen.wasDisturbed, "when it came")
            if isEarly { require((400...599).contains(status), "an answer that came too early") }
            if !isEarly { require(seen.early.isEmpty, "an answer behind one that came too early") }
        }
        let hasShape = state.withEnd { end in
            if case .answer(let answer) = end { Verdict.hasHankosShape(answer) } else { false }
        }
        let isKept = state.finish(at: 0)
        require(isKept == state.mayServe(at: 0) && isKept == !state.isClosed, "kept, but not by its own word")
        require(state.withUnsent { $0.isEmpty }, "the request is still there")
        if case .answer(_, let body, _) = Self.end(of: state) { require(body.isEmpty, "the answer is still there") }
        compare(end, isKept, hasShape, seen)
        return Exchange(end: end, isKept: isKept, spokeUnasked: state.spokeUnasked)
    }

    /// Whole answers, by the model of the reader.
    private static func compare(_ end: Exchange.End, _ isKept: Bool, _ hasShape: Bool, _ seen: Seen) {
        let model = ResponseModel(seen.answer, hasEnded: seen.hasEnded)
        if isKept {
            require(seen.isWhole && seen.early.isEmpty && !seen.hasEnded, "kept, but not after an exchange")
            require(model.end == .answer(mayKeep: true) && !model.hasSurplus, "kept, but the answer did not end there")
            require(model.status != 400 || hasShape, "kept after somebody else's 400")
        }
        guard seen.isWhole, seen.early.isEmpty, !seen.wasDisturbed else { return }
        switch (model.end, end) {
        case (.answer(let mayKeep), .answer(let status, let body, _)):
            require(status == model.status && body == model.body, "another answer")
            require(isKept == (mayKeep && (status != 400 || hasShape)), "whether it is kept")
        case (.answer, .failure): require(false, "a failure in the place of an answer")
        // A fault that has a reason of its own comes with its answer; nothing of its body is there.
        case (.refused, .answer(_, let body, _)): require(body.isEmpty, "an answer in the place of a fault")
        case (.endsEarly, .answer): require(false, "an answer that is not whole")
        case (.refused, .failure), (.endsEarly, .failure): break
        }
    }

    // MARK: Events in any order

    /// Gives the events to a connection whatever it asked for, as no driver does: nothing traps, and still nothing is
    /// sent without a look, and nothing that came too early is a yes or a no.
    static func runWild(_ given: ConnectionInput) {
        var input = given
        var state = ConnectionState()
        state.opened(at: 0)
        var hasEarlyBytes = false
        _ = begin(&state)
        while let event = input.next() {
            let isWhole = state.hasSent && state.withUnsent { $0.isEmpty }
            if case .bytes = event, !isWhole { hasEarlyBytes = true }
            let action = tellWild(event, &state)
            if action == .send { require(event == .nothing, "it sends without a look right before") }
            if hasEarlyBytes { require(!isVerdict(state), "a verdict on what came too early") }
            if action == .end, state.finish(at: 0) {
                hasEarlyBytes = false
                _ = begin(&state)
            }
        }
        _ = state.finish(at: 0)
    }

    private static func tellWild(_ event: Event, _ state: inout ConnectionState) -> ConnectionState.Action {
        switch event {
        case .nothing: state.receivedNothing()
        case .bytes(let bytes): withExactCopy(bytes) { state.received($0) }
        case .end: state.receivedEnd()
        case .failure: state.hasSent ? state.broke() : state.sendFailed()
        case .noMemory: state.lacksMemory()
        case .sentAll: state.sent(state.withUnsent { $0.count })
        case .sent(let count): state.sent(count)
        case .sentNothing: state.sentNothing()
        case .late: state.windUp()
        case .ready: state.ready()
        }
    }

    private static func isVerdict(_ state: borrowing ConnectionState) -> Bool { state.withEnd { isVerdict($0) } }

    private static func isVerdict(_ end: ExchangeEnd) -> Bool {
        guard let token = try? SessionToken(ByteView("test-token")) else { return true }
        let status = Verdict.judge(end, token: token, audiences: [], now: 0, wantsSession: false).reason.status
        return status == .ok || status == .invalidToken
    }
}
