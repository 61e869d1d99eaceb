import CCurl
import CSystem

/// What libcurl's callbacks see and change while one handle is at work: sockets, head and body.
///
/// It lies at a fixed address, which libcurl holds; it outlives the handle.
struct Transfer: ~Copyable {
    static var maximumBodyLength: Int { 262_144 }
    /// With the framing of chunks, which could be endless by itself.
    private static var maximumReceivedLength: Int { 1_048_576 }

    var head = ResponseHead()
    var body = SecretBuffer()
    /// The socket of the connection that the handle kept after the last transfer; -1 when it kept none.
    var keptSocket: Int32 = -1
    private var chunks = ChunkedBody()
    private var receivedLength = 0
    private(set) var hasBrokenFraming = false
    var bodyTooLarge = false
    var ranOutOfMemory = false
    /// A connection was opened for this transfer; otherwise it goes over a kept one.
    var openedConnection = false
    /// The connection was there, TLS included, and the request was about to be sent.
    var reachedRequest = false
    var foundUnaskedBytes = false
    var sentRequests: UInt64 = 0
    var openedConnections: UInt64 = 0
    /// The last socket could not be opened because there are too many descriptors.
    var lacksDescriptors = false
    private let tlsLibrary: TLSLibrary

    private let handle: UnsafeMutableRawPointer

    private let registry: SocketRegistry

    init(handle: UnsafeMutableRawPointer, tlsLibrary: TLSLibrary, registry: SocketRegistry) {
        self.handle = handle
        self.tlsLibrary = tlsLibrary
        self.registry = registry
    }

    /// Forgets the last answer; sockets stay.
    mutating func reset() {
        head = ResponseHead()
        body.erase()
        chunks = ChunkedBody()
        receivedLength = 0
        hasBrokenFraming = false
        bodyTooLarge = false
        ranOutOfMemory = false
        openedConnection = false
        reachedRequest = false
        foundUnaskedBytes = false
        sentRequests = 0
        openedConnections = 0
        lacksDescriptors = false
    }

    // MARK: What libcurl calls

    mutating func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        openedConnection = true
        let socket = registry.open(
            family: address.pointee.family, type: address.pointee.socktype, protocol: address.pointee.protocol)
        // TLS opens a file of certificates next, and its error would not tell a bad file from none that could be opened.
        lacksDescriptors = hanko_lacks_descriptors(socket) != 0
        return socket
    }

    mutating func closeSocket(_ socket: Int32) -> Int32 {
        if socket == keptSocket { keptSocket = -1 }
        return registry.close(socket)
    }

    /// Looks at a kept connection once more before a request goes out on it. On one with something to say, a surplus
    /// answer for example, that would be taken for the answer to this request; libcurl does not look by itself.
    ///
    /// - Returns: whether the request may be sent.
    mutating func mayUseConnection() -> Bool {
        reachedRequest = true
        if openedConnection {
            openedConnections &+= 1
            sentRequests &+= 1
            return true
        }
        if keptConnectionHasSomethingToSay() || tlsLibrary.mayHoldBytes(of: handle) {
            foundUnaskedBytes = true
            return false
        }
        sentRequests &+= 1
        return true
    }

    /// Whether the kept connection has anything to read, its end included, or cannot be asked.
    private func keptConnectionHasSomethingToSay() -> Bool {
        guard keptSocket >= 0 else { return true }
        var byte: UInt8 = 0
        guard recv(keptSocket, &byte, 1, hanko_peek_flags()) < 0 else { return true }
        let error = hanko_errno()
        return error != EAGAIN && error != EWOULDBLOCK && error != EINTR
    }

    /// - Returns: false to end the transfer, because the limit is reached or the head says all that is needed.
    mutating func receiveHeadLine(_ line: ByteView) -> Bool {
        switch head.receive(line) {
        case .incomplete: true
        case .complete: needsBody
        case .tooLarge: false
        }
    }

    /// Whether the body has to be waited for. Two different lengths leave no body that could be believed.
    var needsBody: Bool { Verdict.needsBody(status: head.status) && !head.contentLengthsDiffer }

    /// Whether the body came to its own end, where it has one besides the end of the connection.
    var bodyIsComplete: Bool { !head.isChunked || chunks.isComplete }

    /// Whether the answer ended where it said, with nothing behind it.
    var endedCleanly: Bool { bodyIsComplete && !chunks.hasSurplus }

    /// - Returns: false to end the transfer, because a limit is reached.
    mutating func receiveBody(_ bytes: ByteView) -> Bool {
        guard head.isChunked else { return keep(bytes) }
        receivedLength = receivedLength &+ bytes.count
        guard receivedLength <= Self.maximumReceivedLength else {
            bodyTooLarge = true
            return false
        }
        var isKept = true
        var framing = chunks
        // Never left to libcurl, which takes sizes that are refused here.
        hasBrokenFraming =
            framing.feed(bytes) { piece in
                isKept = keep(piece)
                return isKept
            } == .malformed
        chunks = framing
        return isKept && !hasBrokenFraming
    }

    private mutating func keep(_ bytes: ByteView) -> Bool {
        let total = body.count &+ bytes.count
        guard total <= Self.maximumBodyLength else {
            bodyTooLarge = true
            return false
        }
        guard body.reserve(total) else {
            ranOutOfMemory = true
            return false
        }
        body.append(bytes)
        return true
    }
}
