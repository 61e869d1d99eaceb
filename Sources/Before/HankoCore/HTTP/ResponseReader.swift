/// Reads one answer after the other from the bytes of a connection that speaks HTTP/1.1 (RFC 9112): bytes in, what
/// follows from them out. It has no connection, no clock and no timeout.
///
/// It is strict. Only a broken server, or a gateway that garbles answers, breaks these rules, and where one is broken
/// it cannot be known whose answer comes next. Lines end with a carriage return and a line feed, as Hanko writes them
/// and as the common gateways do. RFC 9112 section 2.2 would allow a line feed alone; but where a gateway takes one for
/// a part of a value and passes it on, whoever wrote that value would have written fields that only we see.
///
/// How the bytes are cut into pieces makes no difference to anything that is known when they are all there.
package struct ResponseReader: ~Copyable {
    package enum Progress: Equatable {
        /// The answer is not known yet.
        case more
        /// The answer is known. What is left of it is a body that nobody needs: who reads it may keep the connection.
        case answered
        /// The answer is known, and nothing more is read.
        case complete
        /// There is no answer that could be believed; the connection is of no more use.
        case failed(ResponseFault)
    }

    /// All heads of one exchange together, interim answers included, so that a server that sends those for ever ends.
    package static var maximumHeadLength: Int { 65_536 }
    package static var maximumBodyLength: Int { 262_144 }
    /// Of a body that nobody needs so much is read, its framing included, in order to keep the connection.
    package static var maximumUnneededLength: Int { 16_384 }
    /// Hanko sends none. Of those that there are, only 102 comes more than once, every few seconds.
    package static var maximumInterimAnswers: Int { 16 }

    private enum Stage {
        case head
        /// Reads so many bytes more, which are needed.
        case length
        case chunks
        case untilClose
        /// Reads so many bytes more, which are not needed.
        case unneededLength
        case unneededChunks
        case over
    }

    package private(set) var progress = Progress.more
    /// At least one byte has arrived.
    package private(set) var hasBegun = false
    /// Bytes came behind the declared end of the answer: somebody sends what nobody asked for. The answer stands.
    package private(set) var hasSurplus = false

    private var stage = Stage.head
    private var id: RequestID
    private var statusLine = ResponseStatusLine()
    private var fields = ResponseFields()
    private var expectsStatusLine = true
    private var interimAnswers = 0
    private var headLength = 0
    /// The beginning of a line whose end has not arrived; the buffer is kept, as the one for the body.
    private var line = SecretBuffer()
    private var remaining = 0
    private var chunks = ChunkReader(allowing: 0, besides: 0)
    private var body = SecretBuffer()
    private var wasReadToItsEnd = false
    private var isClosed = false
    /// The head of the answer itself is complete.
    private var isHeadComplete = false

    /// - Parameter id: the one that is sent with the first request.
    package init(expecting id: RequestID) { self.id = id }

    /// Forgets the answer, and overwrites it with zeros.
    ///
    /// - Parameter id: the one that is sent with the next request.
    package mutating func reset(expecting id: RequestID) {
        erase()
        self.id = id
        progress = .more
        hasBegun = false
        hasSurplus = false
        stage = .head
        statusLine = ResponseStatusLine()
        fields = ResponseFields()
        expectsStatusLine = true
        interimAnswers = 0
        headLength = 0
        wasReadToItsEnd = false
        isClosed = false
        isHeadComplete = false
    }

    /// Overwrites body and head with zeros. The body is then gone, and what else is known stays.
    package mutating func erase() {
        line.erase()
        body.erase()
    }

    // MARK: What is known

    /// The status of the answer, or of the last interim one; 0 before the first line is complete.
    package var status: Int { statusLine.status }

    package var echo: RequestIDEcho { fields.echo }

    /// What the verdict needs, as far as it is known; the body must not leave the function.
    ///
    /// Of faults it holds those that an `Answer` can say; `ResponseFault.failure` is what the others are.
    package borrowing func withAnswer<Result>(_ take: (Answer) -> Result) -> Result {
        var answer = Answer()
        answer.status = statusLine.status
        answer.date = fields.date
        answer.retryAfter = fields.retryAfter
        answer.age = fields.age
        if case .failed(let fault) = progress {
            answer.headTooLarge = fault == .headTooLarge
            answer.bodyTooLarge = fault == .bodyTooLarge
            answer.contentLengthsDiffer = fault == .brokenContentLength
        }
        guard progress == .complete else { return take(answer) }
        return body.withView { bytes in
            answer.body = bytes
            return take(answer)
        }
    }

    /// Whether the connection may serve another request: the answer was read to its declared end, and nothing follows
    /// it.
    ///
    /// A 400 that is not in Hanko's own shape closes the connection as well; whether it is, only the verdict knows.
    /// What arrives later is asked about again: bytes that come before the next request close the connection.
    package var mayKeep: Bool {
        progress == .complete && wasReadToItsEnd && !hasSurplus && !isClosed && leavesConnectionOpen
    }

    /// What the head says of that. After 408, 413 and 431 the server has not read the request to its end.
    private var leavesConnectionOpen: Bool {
        guard statusLine.minorVersion >= 1, !fields.closesConnection else { return false }
        switch statusLine.status {
        case 101, 408, 413, 431: return false
        default: return true
        }
    }

    // MARK: What arrives

    /// Takes the next bytes of the connection.
    package mutating func receive(_ bytes: ByteView) -> Progress {
        guard !bytes.isEmpty else { return progress }
        hasBegun = true
        var position = 0
        if case .head = stage { position = receiveHead(bytes) }
        if position < bytes.count { receiveBody(bytes.slice(from: position)) }
        return progress
    }

    /// Takes the end of the connection. There is nothing to be received behind it.
    package mutating func end() -> Progress {
        isClosed = true
        switch stage {
        case .head: fail(hasBegun ? .connectionLost : .emptyReply)
        case .length, .chunks: fail(.bodyCutShort)
        case .untilClose, .unneededLength, .unneededChunks: finish(wasReadToItsEnd: false)
        case .over: break
        }
        return progress
    }

    private mutating func fail(_ fault: ResponseFault) {
        stage = .over
        progress = .failed(fault)
    }

    private mutating func finish(wasReadToItsEnd: Bool) {
        stage = .over
        progress = .complete
        self.wasReadToItsEnd = wasReadToItsEnd
    }

    // MARK: The head

    /// - Returns: how many of the bytes belong to the head: all, unless it ends among them.
    @inline(__always)
    private mutating func receiveHead(_ bytes: ByteView) -> Int {
        let allowed = bytes.slice(from: 0, to: Self.maximumHeadLength &- headLength)
        var start = line.count > 0 ? receiveRestOfLine(allowed) : 0
        while case .head = stage {
            if expectsStatusLine, !ResponseStatusLine.mayBegin(with: allowed.slice(from: start)) {
                fail(.notHTTP)
                break
            }
            let stop = allowed.lineStop(from: start)
            guard allowed[stop] == ASCII.carriageReturn, allowed[stop &+ 1] == ASCII.lineFeed else {
                keepLine(allowed, from: start, stop: stop, isCutOff: allowed.count < bytes.count)
                break
            }
            headLength = headLength &+ stop &+ 2 &- start
            takeLine(allowed.slice(from: start, to: stop))
            start = stop &+ 2
        }
        return isHeadComplete ? start : bytes.count
    }

    /// Keeps the beginning of a line, or finds out why there is none.
    @inline(never)
    private mutating func keepLine(_ allowed: ByteView, from start: Int, stop: Int, isCutOff: Bool) {
        let returnIsLast = stop &+ 1 == allowed.count && allowed[stop] == ASCII.carriageReturn
        guard stop == allowed.count || returnIsLast else { return fail(.notHTTP) }
        guard !isCutOff else { return fail(.headTooLarge) }
        appendToLine(allowed.slice(from: start))
    }

    private mutating func appendToLine(_ bytes: ByteView) {
        headLength = headLength &+ bytes.count
        guard line.reserve(line.count &+ bytes.count) else { return fail(.localShortage) }
        line.append(bytes)
    }

    /// Goes on with a line that began earlier.
    ///
    /// - Returns: where the next line begins; behind all bytes where this one does not end.
    @inline(never)
    private mutating func receiveRestOfLine(_ bytes: ByteView) -> Int {
        guard !bytes.isEmpty else { return 0 }
        if line.withView({ $0[$0.count &- 1] }) == ASCII.carriageReturn {
            if bytes[0] == ASCII.lineFeed { takeKeptLine() } else { fail(.notHTTP) }
            return 1
        }
        let stop = bytes.lineStop(from: 0)
        guard stop == bytes.count || bytes[stop] == ASCII.carriageReturn else {
            fail(.notHTTP)
            return stop
        }
        // The carriage return with it, where there is one.
        appendToLine(bytes.slice(from: 0, to: stop &+ 1))
        if expectsStatusLine, !line.withView({ ResponseStatusLine.mayBegin(with: $0) }) { fail(.notHTTP) }
        guard stop &+ 1 < bytes.count, case .head = stage else { return min(stop &+ 1, bytes.count) }
        if bytes[stop &+ 1] == ASCII.lineFeed { takeKeptLine() } else { fail(.notHTTP) }
        return stop &+ 2
    }

    /// Takes the line that began earlier; its carriage return is there, and the line feed has arrived.
    private mutating func takeKeptLine() {
        headLength = headLength &+ 1
        // It has another owner meanwhile, so that it can be read while this reader changes.
        var kept = SecretBuffer()
        swap(&kept, &line)
        kept.withView { takeLine($0.slice(from: 0, to: $0.count &- 1)) }
        kept.erase()
        swap(&kept, &line)
    }

    /// Takes a line without its end.
    @inline(__always)
    private mutating func takeLine(_ line: ByteView) {
        if expectsStatusLine {
            guard let read = ResponseStatusLine(line) else { return fail(.notHTTP) }
            statusLine = read
            expectsStatusLine = false
        } else if line.isEmpty {
            endHead()
        } else if !fields.take(line, of: id) {
            fail(.notHTTP)
        }
    }

    private mutating func endHead() {
        if statusLine.isInterim {
            // One with a body could hide another answer in it; it has none (RFC 9110 section 8.6).
            guard interimAnswers < Self.maximumInterimAnswers, !fields.announceBody else { return fail(.notHTTP) }
            interimAnswers &+= 1
            expectsStatusLine = true
            // What it said is not said of the answer itself.
            fields = ResponseFields()
            return
        }
        isHeadComplete = true
        if Verdict.needsBody(status: statusLine.status) { beginBody() } else { beginUnneededBody() }
    }

    // MARK: The body

    private mutating func beginBody() {
        switch (fields.transferEncoding, fields.contentLength) {
        case (.broken, _):
            fail(.brokenTransferEncoding)
        case (.chunked, .absent):
            // HTTP/1.0 does not know it (RFC 9112 section 6.1).
            guard statusLine.minorVersion >= 1 else { return fail(.brokenTransferEncoding) }
            guard !fields.isEncoded else { return fail(.encodedBody) }
            chunks = ChunkReader(
                allowing: Self.maximumBodyLength, besides: Self.maximumHeadLength &- headLength)
            stage = .chunks
        case (.chunked, _), (.absent, .broken):
            fail(.brokenContentLength)
        case (.absent, .bytes(let length)):
            guard !fields.isEncoded else { return fail(.encodedBody) }
            guard length <= Int64(Self.maximumBodyLength) else { return fail(.bodyTooLarge) }
            remaining = Int(length)
            guard remaining > 0 else { return finish(wasReadToItsEnd: true) }
            guard body.reserve(remaining) else { return fail(.localShortage) }
            stage = .length
        case (.absent, .absent):
            guard !fields.isEncoded else { return fail(.encodedBody) }
            stage = .untilClose
        }
    }

    /// The answer is known. Its body is read where that can keep the connection.
    private mutating func beginUnneededBody() {
        guard leavesConnectionOpen else { return finish(wasReadToItsEnd: false) }
        // There is none behind these two; where one is announced all the same, it may come.
        if statusLine.status == 204 || statusLine.status == 304 {
            return finish(wasReadToItsEnd: !fields.announceBody)
        }
        switch (fields.transferEncoding, fields.contentLength) {
        case (.chunked, .absent):
            chunks = ChunkReader(allowing: Self.maximumUnneededLength, besides: Self.maximumUnneededLength)
            remaining = Self.maximumUnneededLength
            stage = .unneededChunks
            progress = .answered
        case (.absent, .bytes(0)):
            finish(wasReadToItsEnd: true)
        case (.absent, .bytes(let length)) where length <= Int64(Self.maximumUnneededLength):
            remaining = Int(length)
            stage = .unneededLength
            progress = .answered
        default:
            finish(wasReadToItsEnd: false)
        }
    }

    /// Takes bytes behind the head.
    private mutating func receiveBody(_ bytes: ByteView) {
        switch stage {
        case .head:
            break
        case .length:
            let piece = bytes.slice(from: 0, to: remaining)
            // There is room since the end of the head.
            body.append(piece)
            takeDeclared(bytes)
        case .unneededLength:
            takeDeclared(bytes)
        case .chunks:
            receiveChunks(bytes)
        case .unneededChunks:
            receiveUnneededChunks(bytes)
        case .untilClose:
            guard bytes.count <= Self.maximumBodyLength &- body.count else { return fail(.bodyTooLarge) }
            keep(bytes)
        case .over:
            // Where the answer was not read to its end, they may belong to it.
            if wasReadToItsEnd { hasSurplus = true }
        }
    }

    /// Counts bytes of a body whose length is known.
    private mutating func takeDeclared(_ bytes: ByteView) {
        guard bytes.count >= remaining else {
            remaining &-= bytes.count
            return
        }
        finish(wasReadToItsEnd: true)
        hasSurplus = bytes.count > remaining
    }

    private mutating func receiveChunks(_ bytes: ByteView) {
        var position = 0
        while case .chunks = stage {
            switch chunks.step(bytes, from: &position) {
            case .more: return
            case .content(let piece): keep(piece)
            case .end:
                finish(wasReadToItsEnd: true)
                hasSurplus = position < bytes.count
            case .malformed: fail(.notHTTP)
            case .tooLong: fail(.bodyTooLarge)
            case .tooMuchBesides: fail(.headTooLarge)
            }
        }
    }

    private mutating func receiveUnneededChunks(_ bytes: ByteView) {
        let allowed = bytes.slice(from: 0, to: remaining)
        remaining &-= allowed.count
        var position = 0
        while case .unneededChunks = stage {
            switch chunks.step(allowed, from: &position) {
            case .more:
                if allowed.count < bytes.count { finish(wasReadToItsEnd: false) }
                return
            case .content: break
            case .end:
                finish(wasReadToItsEnd: true)
                hasSurplus = position < bytes.count
            case .malformed, .tooLong, .tooMuchBesides: finish(wasReadToItsEnd: false)
            }
        }
    }

    private mutating func keep(_ bytes: ByteView) {
        guard body.reserve(body.count &+ bytes.count) else { return fail(.localShortage) }
        body.append(bytes)
    }
}
