/// The states of one connection, from connecting to closed: a value that is fed with what happens and answers with what
/// is to be done. It has no socket and no clock.
///
/// Nothing is read into an answer before the whole request has gone out. What comes earlier is not the answer to it, so
/// each piece of the request is sent only after a look that found nothing.
package struct ConnectionState: ~Copyable {
    package enum Action: Equatable {
        /// Send what is left of the request (`withUnsent`); then `sent`, `sentNothing` or `sendFailed`.
        case send
        /// Receive what is there; then `received`, `receivedNothing`, `receivedEnd` or `broke`.
        case receive
        /// Wait for the connection to have something; then `ready`.
        case wait(Wait)
        /// The exchange is over.
        case end
    }

    package enum Wait {
        case input
        case inputOrOutput
    }

    private enum Stage {
        case connecting
        case idle
        /// Looks whether anything has come before the request, or the rest of it, goes out.
        case looking
        case sending
        /// Bytes came before the request had been sent whole, or it could not be sent; reads what may be a refusal.
        case early
        case answer
        /// The answer is known; reads the rest of a body that nobody needs.
        case rest
        case closed
    }

    /// A connection is kept no longer than common servers do (60 s and more).
    private static var longestIdle: Int64 { 50_000_000_000 }

    private var stage = Stage.connecting
    private var reader: ResponseReader
    private var request = SecretBuffer()
    private var sentCount = 0
    private var exchangeCount = 0
    /// Whether answers on it bear the ids of their requests. The first one decides that speaks for Hanko; a gateway's own
    /// errors bear none in any case.
    private var echoes: Bool?
    private var failure: TransportFailure?
    private var openedAt: Int64 = 0
    private var idleSince: Int64 = 0
    private var id = RequestID(high: 0, low: 0)
    /// A kept connection ended or spoke before anything was sent on it, so that it is of no use.
    package private(set) var isDead = false
    /// It spoke where it should have been silent.
    package private(set) var spokeUnasked = false

    package init() { reader = ResponseReader(expecting: RequestID(high: 0, low: 0)) }

    // MARK: Between exchanges

    package var isClosed: Bool { stage == .closed }

    /// It was used for an exchange before the one under way.
    package var isKept: Bool { exchangeCount > 1 }

    /// Whether bytes of the request went out.
    package var hasSent: Bool { sentCount > 0 }

    /// The connection is there.
    package mutating func opened(at now: Int64) {
        stage = .idle
        openedAt = now
        idleSince = now
    }

    /// Whether it may serve a request, as far as can be said without looking at it.
    package func mayServe(at now: Int64) -> Bool { stage == .idle && now &- idleSince < Self.longestIdle }

    /// A kept connection, which the other side has closed meanwhile, had something to say before that.
    package mutating func spokeWhileIdle() {
        spokeUnasked = true
        stage = .closed
    }

    /// Begins an exchange on an idle connection.
    ///
    /// - Parameters:
    ///   - id: of the request.
    ///   - write: writes the request in the place of what the buffer holds; answers false when there is no memory.
    package mutating func begin(_ id: RequestID, write: (inout SecretBuffer) -> Bool) -> Action {
        self.id = id
        reader.reset(expecting: id)
        failure = nil
        sentCount = 0
        isDead = false
        spokeUnasked = false
        exchangeCount &+= 1
        guard stage == .idle else { return fail(.other(0)) }
        guard write(&request) else { return fail(.localShortage) }
        stage = .looking
        return .receive
    }

    /// The exchange is over and nobody needs its answer any more: overwrites it, and the request, with zeros.
    ///
    /// - Returns: whether the connection is kept. One that is not must be closed.
    @inline(never)
    package mutating func finish(at now: Int64) -> Bool {
        let keeps = (stage == .answer || stage == .rest) && mayKeep
        spokeUnasked = spokeUnasked || reader.hasSurplus
        if echoes == nil, failure == nil {
            if reader.echo == .own { echoes = true } else if reader.status == 200 { echoes = false }
        }
        reader.erase()
        request.erase()
        stage = keeps ? .idle : .closed
        idleSince = now
        return keeps
    }

    /// Here it is decided whether a connection is used again.
    private var mayKeep: Bool {
        guard reader.mayKeep else { return false }
        switch ExchangeMeaning.of(status: reader.status).reuse {
        case .kept: return true
        case .keptInHankosShape: return reader.withAnswer { Verdict.hasHankosShape($0) }
        case .closed: return false
        }
    }

    // MARK: How the exchange ended

    /// Gives the end of the exchange to a function; the answer in it must not leave the function.
    package borrowing func withEnd<Result>(_ take: (ExchangeEnd) -> Result) -> Result {
        if let failure { return take(.failure(failure)) }
        let isEarly = stage == .early
        return reader.withAnswer { answer in
            var answer = answer
            answer.isEarly = isEarly
            return take(.answer(answer))
        }
    }

    /// What the exchange made of the connection. For all that can be known its answer belongs to its request if it bears
    /// its id, or if no earlier one on this connection did.
    package var use: ConnectionUse {
        var use = ConnectionUse()
        use.isKept = isKept
        use.isBound = echoes != true || reader.echo == .own
        use.requestID = hasSent ? id : nil
        return use
    }

    /// Gives the part of the request that has not been sent to a function.
    package borrowing func withUnsent<Result>(_ body: (ByteView) -> Result) -> Result {
        request.withView { body($0.slice(from: sentCount)) }
    }

    /// Only something that nobody needs is waited for, so not for long; `windUp` ends it.
    package var isWindingUp: Bool { stage == .early || stage == .rest }

    // MARK: Events

    /// What was waited for may have come.
    package mutating func ready() -> Action {
        // The rest of a request goes out only after another look.
        if stage == .sending { stage = .looking }
        return stage == .closed ? .end : .receive
    }

    @inline(never)
    package mutating func received(_ bytes: ByteView) -> Action {
        switch stage {
        case .looking:
            spokeUnasked = true
            if isKept, sentCount == 0 { return die() }
            stage = .early
            return take(reader.receive(bytes))
        case .early, .answer, .rest:
            return take(reader.receive(bytes))
        case .connecting, .idle, .sending, .closed:
            return fail(.other(0))  // nobody receives then
        }
    }

    package mutating func receivedNothing() -> Action {
        switch stage {
        case .looking:
            stage = .sending
            return .send
        case .early where !reader.hasBegun:
            return fail(.connectionReset)
        default:
            return .wait(.input)
        }
    }

    /// The other side has closed the connection.
    @inline(never)
    package mutating func receivedEnd() -> Action {
        if stage == .looking {
            if isKept, sentCount == 0 { return die() }
            return fail(.emptyReply)
        }
        if stage == .early, !reader.hasBegun { return fail(.connectionReset) }
        return take(reader.end())
    }

    /// Receiving failed.
    @inline(never)
    package mutating func broke() -> Action {
        if stage == .looking, isKept, sentCount == 0 { return die() }
        guard reader.hasBegun else { return fail(.connectionReset) }
        switch stage {
        // The answer is known, and the rest of it is not needed.
        case .rest: return .end
        case .early: return fail(.unaskedBytes)
        default: return fail(.connectionLost)
        }
    }

    /// Receiving or sending failed for a reason that lies here.
    package mutating func lacksMemory() -> Action { fail(.localShortage) }

    package mutating func sent(_ count: Int) -> Action {
        guard stage == .sending, count > 0 else { return fail(.other(0)) }
        sentCount = sentCount &+ count
        guard sentCount < request.count else {
            stage = .answer
            return .wait(.input)
        }
        stage = .looking
        return .receive
    }

    /// There is no room for more; the same bytes are sent again later.
    package func sentNothing() -> Action { .wait(.inputOrOutput) }

    /// Sending failed. A server that refuses the request may have answered before it closed the connection.
    package mutating func sendFailed() -> Action {
        stage = .early
        return .receive
    }

    /// Nobody waits any longer for what is not needed.
    @inline(never)
    package mutating func windUp() -> Action {
        stage == .early ? fail(.unaskedBytes) : .end
    }

    /// The exchange is given up.
    @inline(never)
    package mutating func giveUp(_ failure: TransportFailure) {
        _ = fail(failure)
    }

    private mutating func take(_ progress: ResponseReader.Progress) -> Action {
        switch progress {
        case .more:
            return .receive
        case .answered:
            if stage == .early { return refuse() }
            stage = .rest
            return .receive
        case .complete:
            return stage == .early ? refuse() : .end
        case .failed(let fault):
            if stage == .early { return fail(.unaskedBytes) }
            // What the answer says of it has its own reason.
            if let failure = fault.failure { return fail(failure) }
            return .end
        }
    }

    /// Looks at an answer that began too early: it may say why nothing can be asked here, and nothing else.
    private mutating func refuse() -> Action {
        400...599 ~= reader.status ? .end : fail(.unaskedBytes)
    }

    private mutating func die() -> Action {
        isDead = true
        return fail(.unaskedBytes)
    }

    private mutating func fail(_ failure: TransportFailure) -> Action {
        self.failure = failure
        stage = .closed
        return .end
    }
}
