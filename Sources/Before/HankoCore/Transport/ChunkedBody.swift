/// Takes the chunk framing off a body as it arrives (RFC 9112 section 7.1): a value without a connection.
///
/// libcurl could do this, and follows the framing to find the end of the answer. But what arrives behind that end it
/// keeps to itself (7.88 then takes it for the next answer, and neither the socket nor the TLS library shows it). So
/// the body is taken as it is on the wire, and bytes behind the end are seen here.
package struct ChunkedBody {
    package enum Progress: Equatable {
        case more
        /// What was fed is not chunk framing.
        case malformed
    }

    private enum State {
        case size(digits: Int)
        case sizeExtension
        case data
        case dataEnd
        case trailerStart
        case trailerField
        case end
    }

    private var state = State.size(digits: 0)
    private var remaining = 0
    /// Bytes came behind the end of the body: somebody sends what nobody asked for.
    package private(set) var hasSurplus = false

    package init() {}

    package var isComplete: Bool {
        if case .end = state { return true }
        return false
    }

    /// Takes the next bytes.
    ///
    /// - Parameters:
    ///   - bytes: what arrived.
    ///   - content: is called with each piece of the body itself; when it answers false, feeding ends there.
    package mutating func feed(_ bytes: ByteView, content: (ByteView) -> Bool) -> Progress {
        var position = 0
        while position < bytes.count {
            if case .data = state {
                let piece = bytes.slice(from: position, to: position &+ min(remaining, bytes.count &- position))
                remaining &-= piece.count
                position &+= piece.count
                if remaining == 0 { state = .dataEnd }
                guard content(piece) else { return .more }
                continue
            }
            guard step(bytes[position]) else { return .malformed }
            position &+= 1
        }
        return .more
    }

    /// Takes one byte of the framing. Line ends may lack their carriage return, as libcurl allows.
    private mutating func step(_ byte: UInt8) -> Bool {
        let isLineFeed = byte == ASCII.lineFeed
        switch state {
        case .size(let digits):
            if let digit = ASCII.hexadecimal(byte) {
                // Eight digits are far beyond every limit on the body.
                guard digits < 8 else { return false }
                remaining = remaining << 4 | Int(digit)
                state = .size(digits: digits &+ 1)
                return true
            }
            guard digits > 0 else { return false }
            state = .sizeExtension
            return step(byte)
        case .sizeExtension:
            if isLineFeed { state = remaining > 0 ? .data : .trailerStart }
        case .data:
            return false
        case .dataEnd:
            guard isLineFeed else {
                return byte == ASCII.carriageReturn
            }
            state = .size(digits: 0)
        case .trailerStart:
            if isLineFeed {
                state = .end
            } else if byte != ASCII.carriageReturn {
                state = .trailerField
            }
        case .trailerField:
            if isLineFeed { state = .trailerStart }
        case .end:
            hasSurplus = true
        }
        return true
    }
}
