/// What the fields of one head say: of them all, those that decide where the answer ends, whose it is and what it
/// means. The others are checked for their grammar and passed over.
struct ResponseFields {
    enum ContentLength {
        case absent
        case bytes(Int64)
        /// Not one number of digits alone.
        case broken
    }

    enum TransferEncoding {
        case absent
        case chunked
        /// Everything else, `chunked` among other codings included: nothing else is asked for.
        case broken
    }

    private(set) var contentLength = ContentLength.absent
    private(set) var transferEncoding = TransferEncoding.absent
    /// `Connection: close`: the server closes the connection after this answer.
    private(set) var closesConnection = false
    /// A `Content-Encoding` other than `identity`.
    private(set) var isEncoded = false
    private(set) var echo = RequestIDEcho.none
    private(set) var date: Int64?
    private(set) var retryAfter: RetryAfter?
    private(set) var age: Int64?

    /// Whether a body is announced; where none can follow, this shows that sender and reader may disagree.
    var announceBody: Bool {
        guard case .absent = transferEncoding else { return true }
        switch contentLength {
        case .absent, .bytes(0): return false
        case .bytes, .broken: return true
        }
    }

    /// Takes a field line without its end, in which there is no NUL, carriage return or line feed.
    ///
    /// - Parameters:
    ///   - line: is not empty.
    ///   - id: the one that was sent with the request.
    /// - Returns: false when it is none: without a name before a colon, with blanks before the name or behind it.
    @inline(__always)
    mutating func take(_ line: ByteView, of id: RequestID) -> Bool {
        guard let colon = line.colonBehindToken() else { return false }
        let name = line.slice(from: 0, to: colon)
        // By their length first: most fields are none of these, and are passed over without comparing anything.
        switch colon {
        case 3 where name.equalsIgnoringCase(ByteView("age")):
            // What is no number is older than anything; of several the oldest counts.
            age = max(age ?? 0, Self.value(line, colon).decimal(atMost: .max) ?? .max)
        case 4 where name.equalsIgnoringCase(ByteView("date")):
            date = HTTPDate.read(Self.value(line, colon))
        case 10 where name.isFieldName("connection"):
            closesConnection = closesConnection || Self.holdsClose(Self.value(line, colon))
        case 11 where name.isFieldName("retry-after"):
            retryAfter = Self.retryAfter(Self.value(line, colon))
        case 12 where name.isFieldName("x-request-id"):
            if id.equals(Self.value(line, colon)) {
                echo = .own
            } else if echo == .none {
                echo = .other
            }
        case 14 where name.isFieldName("content-length"):
            take(contentLength: Self.value(line, colon))
        case 16 where name.isFieldName("content-encoding"):
            let value = Self.value(line, colon)
            isEncoded = isEncoded || !value.isEmpty && !value.equalsIgnoringCase(ByteView("identity"))
        case 17 where name.isFieldName("transfer-encoding"):
            take(transferEncoding: Self.value(line, colon))
        default:
            break
        }
        return true
    }

    @inline(__always)
    private static func value(_ line: ByteView, _ colon: Int) -> ByteView { line.slice(from: colon &+ 1).trimmed() }

    private mutating func take(contentLength value: ByteView) {
        // A second one is refused even if it is equal: a server that sends two does not know what it sends.
        guard case .absent = contentLength, let bytes = value.decimal(atMost: .max) else {
            contentLength = .broken
            return
        }
        contentLength = .bytes(bytes)
    }

    private mutating func take(transferEncoding value: ByteView) {
        guard case .absent = transferEncoding, value.equalsIgnoringCase(ByteView("chunked")) else {
            transferEncoding = .broken
            return
        }
        transferEncoding = .chunked
    }

    private static func holdsClose(_ options: ByteView) -> Bool {
        var start = 0
        while true {
            let end = options.firstPosition(of: ASCII.comma, from: start) ?? options.count
            if options.slice(from: start, to: end).trimmed().equalsIgnoringCase(ByteView("close")) { return true }
            guard end < options.count else { return false }
            start = end &+ 1
        }
    }

    private static func retryAfter(_ value: ByteView) -> RetryAfter? {
        if let seconds = value.decimal(atMost: .max) { return .delay(seconds) }
        var position = 0
        while ASCII.isDigit(value[position]) { position &+= 1 }
        // More than fits a number is long enough.
        if position > 0, position == value.count { return .delay(.max) }
        return HTTPDate.read(value).map { .date($0) }
    }
}
