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
    private var chunks = ChunkedBody()
    private var receivedLength = 0
    private(set) var hasBrokenFraming = false
    var bodyTooLarge = false
    var ranOutOfMemory = false
    /// The sockets that were opened for this transfer; without any it goes over a kept connection.
    private var openedSockets: [Int32] = []
    /// The one of the connection on which the request went out; -1 where that is not known.
    var usedSocket: Int32 = -1
    /// How many bytes of a body the request has.
    var requestLength = 0
    /// The connection was there, TLS included, and the request was about to be sent.
    var reachedRequest = false
    var foundUnaskedBytes = false
    var sentRequests: UInt64 = 0
    var openedConnections: UInt64 = 0
    /// The last socket could not be opened because there are too many descriptors.
    var lacksDescriptors = false
    private let tlsLibrary: TLSLibrary

    private let handle: UnsafeMutableRawPointer

    private let connections: ConnectionTable

    init(handle: UnsafeMutableRawPointer, tlsLibrary: TLSLibrary, connections: ConnectionTable) {
        self.handle = handle
        self.tlsLibrary = tlsLibrary
        self.connections = connections
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
        if !openedSockets.isEmpty { openedSockets = [] }
        usedSocket = -1
        reachedRequest = false
        foundUnaskedBytes = false
        sentRequests = 0
        openedConnections = 0
        lacksDescriptors = false
    }

    // MARK: What libcurl calls

    mutating func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let socket = connections.open(
            family: address.pointee.family, type: address.pointee.socktype, protocol: address.pointee.protocol)
        // TLS opens a file of certificates next, and its error would not tell a bad file from none that could be opened.
        lacksDescriptors = hanko_lacks_descriptors(socket) != 0
        openedSockets.append(socket)
        return socket
    }

    /// Looks at a kept connection once more before a request goes out on it. On one with something to say, a surplus
    /// answer for example, that would be taken for the answer to this request; libcurl does not look by itself.
    ///
    /// - Parameters:
    ///   - localPort: the connection's own, which is all that libcurl tells of it here.
    ///   - address: where this transfer lies.
    /// - Returns: whether the request may be sent.
    mutating func mayUseConnection(localPort: Int, _ address: UnsafePointer<Transfer>) -> Bool {
        reachedRequest = true
        if openedConnection {
            // libcurl tries several addresses at a time and does not tell which one it chose.
            for socket in openedSockets where hanko_local_port(socket) == Int32(localPort) {
                connections.add(socket, localPort: localPort, for: address)
                usedSocket = socket
            }
            openedConnections &+= 1
            sentRequests &+= 1
            return true
        }
        guard let socket = connections.lend(localPort: localPort, to: address), !tlsLibrary.mayHoldBytes(of: handle)
        else {
            foundUnaskedBytes = true
            return false
        }
        usedSocket = socket
        sentRequests &+= 1
        return true
    }

    /// Otherwise the transfer goes over a connection that was kept.
    var openedConnection: Bool { !openedSockets.isEmpty }

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

    /// Whether the connection may serve another token: only after a 200 that was read to its declared end, for a request
    /// that was sent whole. Everything else may leave something behind.
    var leavesConnectionClean: Bool {
        guard head.isComplete, head.status == 200, endedCleanly else { return false }
        var sent: curl_off_t = 0
        return hanko_curl_get_size(handle, CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK && Int(sent) == requestLength
    }

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
