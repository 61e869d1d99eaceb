import CCurl

/// The head of an answer, line by line as it arrives: a value without a connection.
package struct ResponseHead {
    package enum Progress {
        case incomplete
        /// The head of the final answer is complete; interim answers (1xx) came before it, if any.
        case complete
        case tooLarge
    }

    /// All heads of one exchange together, interim answers included, so that a server that sends those for ever ends.
    package static var maximumLength: Int { 65_536 }

    package private(set) var status = 0
    package private(set) var isComplete = false
    package private(set) var isTooLarge = false
    package private(set) var contentLengthsDiffer = false
    package private(set) var isChunked = false
    package private(set) var date: Int64?
    package private(set) var retryAfter: RetryAfter?
    package private(set) var age: Int64?
    private var expectsStatusLine = true
    private var contentLength: Int64?
    private var length = 0

    /// At least one line has arrived.
    package var hasBegun: Bool { length > 0 }

    package init() {}

    /// Takes the next line, its end included.
    package mutating func receive(_ line: ByteView) -> Progress {
        // What comes after the body (trailer fields, RFC 9112 section 7.1.2) changes nothing.
        length = length &+ line.count
        if length > Self.maximumLength {
            isTooLarge = true
            return .tooLarge
        }
        if isComplete { return .incomplete }
        if expectsStatusLine {
            expectsStatusLine = false
            startAnswer(line)
            return .incomplete
        }
        if line[0] == ASCII.carriageReturn || line[0] == ASCII.lineFeed {
            // 101 would switch protocols; nothing that Hanko sends comes after it.
            guard status >= 200 || status == 101 else {
                expectsStatusLine = true
                return .incomplete
            }
            isComplete = true
            return .complete
        }
        field(line)
        return .incomplete
    }

    private mutating func startAnswer(_ line: ByteView) {
        // RFC 9112 section 4: version, blank, three digits, and a blank or the end of the line.
        let blank = line.firstPosition(of: ASCII.space) ?? line.count
        let after = line[blank &+ 4]
        let isWhole = after == ASCII.space || after == ASCII.carriageReturn || after == ASCII.lineFeed || after == 0
        let code = line.slice(from: blank &+ 1, to: blank &+ 4)
        status = isWhole && code.count == 3 ? Int(code.decimal(atMost: 999) ?? 0) : 0
        contentLength = nil
        contentLengthsDiffer = false
        isChunked = false
        date = nil
        retryAfter = nil
        age = nil
    }

    private mutating func field(_ line: ByteView) {
        guard let colon = line.firstPosition(of: ASCII.colon) else { return }
        let name = line.slice(from: 0, to: colon).trimmed()
        // By their length first: most fields are none of these, and are passed over without comparing anything.
        switch name.count {
        case 14 where name.equalsIgnoringCase(ByteView("content-length")):
            declare(length: Self.value(line, behind: colon))
        case 17 where name.equalsIgnoringCase(ByteView("transfer-encoding")):
            isChunked = isChunked || Self.endsWithChunked(Self.value(line, behind: colon))
        case 11 where name.equalsIgnoringCase(ByteView("retry-after")):
            retryAfter = Self.retryAfter(Self.value(line, behind: colon))
        case 3 where name.equalsIgnoringCase(ByteView("age")):
            // What is no number is older than anything; of several the oldest counts.
            age = max(age ?? 0, Self.value(line, behind: colon).decimal(atMost: .max) ?? .max)
        case 4 where name.equalsIgnoringCase(ByteView("date")):
            date = Self.date(Self.value(line, behind: colon))
        default:
            break
        }
    }

    private static func value(_ line: ByteView, behind colon: Int) -> ByteView {
        withoutLineEnd(line.slice(from: colon &+ 1)).trimmed()
    }

    private mutating func declare(length value: ByteView) {
        // What is no number counts as one that differs from every other.
        let declared = value.decimal(atMost: .max) ?? -1
        if let contentLength, contentLength != declared || declared < 0 { contentLengthsDiffer = true }
        contentLength = declared
    }

    /// Chunked is the last of the codings, if it is there at all (RFC 9112 section 6.1).
    private static func endsWithChunked(_ codings: ByteView) -> Bool {
        var start = 0
        while let comma = codings.firstPosition(of: ASCII.comma, from: start) { start = comma &+ 1 }
        return codings.slice(from: start).trimmed().equalsIgnoringCase(ByteView("chunked"))
    }

    private static func retryAfter(_ value: ByteView) -> RetryAfter? {
        if let seconds = value.decimal(atMost: .max) { return .delay(seconds) }
        var position = 0
        while ASCII.isDigit(value[position]) { position &+= 1 }
        // More than fits a number is long enough.
        if position > 0, position == value.count { return .delay(.max) }
        return date(value).map { .date($0) }
    }

    private static func withoutLineEnd(_ text: ByteView) -> ByteView {
        var end = text.count
        while end > 0, text[end &- 1] == ASCII.lineFeed || text[end &- 1] == ASCII.carriageReturn { end &-= 1 }
        return text.slice(from: 0, to: end)
    }

    /// A date of RFC 9110 section 5.6.7.
    private static func date(_ text: ByteView) -> Int64? {
        // The form that every server of today writes; libcurl takes fifty times as long for it.
        if let seconds = Timestamp.httpDate(text) { return seconds }
        // The others are read by libcurl, without regard to the locale. It would also read times that no server sends;
        // the right ones are short.
        guard text.count >= 16, text.count <= 40 else { return nil }
        let seconds = (text.bytes() + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { curl_getdate($0.baseAddress, nil) }
        }
        return seconds < 0 ? nil : Int64(seconds)
    }
}
