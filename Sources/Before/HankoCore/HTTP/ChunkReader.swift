/// Takes the framing of chunks off a body as it arrives (RFC 9112 section 7.1).
///
/// Extensions and trailers mean nothing here and are passed over; blanks behind a size are taken, because servers have
/// padded sizes with them. Lines end with a carriage return and a line feed.
struct ChunkReader {
    enum Step {
        /// All that was there has been taken.
        case more
        /// A piece of the body itself.
        case content(ByteView)
        /// The body is complete.
        case end
        case malformed
        /// The body is longer than allowed.
        case tooLong
        /// Extensions and trailers are longer than allowed.
        case tooMuchBesides
    }

    private enum State {
        case size(digits: Int)
        case blanks
        case sizeExtension
        case sizeEnd
        case content
        case contentReturn
        case contentEnd
        case trailer
        case trailerName
        case trailerValue
        case trailerEnd
        case lastEnd
        case end
    }

    private var state = State.size(digits: 0)
    private var size = 0
    private var contentAllowance: Int
    private var otherAllowance: Int

    /// - Parameters:
    ///   - content: how many bytes the body may have.
    ///   - other: how many bytes extensions and trailers may have together.
    init(allowing content: Int, besides other: Int) {
        contentAllowance = content
        otherAllowance = other
    }

    /// Takes bytes from a position on, up to the next piece of the body, the end, or the end of the bytes.
    mutating func step(_ bytes: ByteView, from position: inout Int) -> Step {
        while position < bytes.count {
            if case .content = state {
                let piece = bytes.slice(from: position, to: position &+ min(size, bytes.count &- position))
                position &+= piece.count
                size &-= piece.count
                if size == 0 { state = .contentReturn }
                return .content(piece)
            }
            if let step = take(bytes[position]) { return step }
            position &+= 1
            if case .end = state { return .end }
        }
        return .more
    }

    /// Takes one byte of the framing.
    ///
    /// - Returns: what ends the reading there; nil where it goes on.
    private mutating func take(_ byte: UInt8) -> Step? {
        switch state {
        case .size(let digits):
            if let digit = ASCII.hexadecimal(byte) {
                // Eight digits are far beyond every limit on the body.
                guard digits < 8 else { return .malformed }
                size = size << 4 | Int(digit)
                state = .size(digits: digits &+ 1)
                return nil
            }
            guard digits > 0 else { return .malformed }
            state = .blanks
            return take(byte)
        case .blanks:
            switch byte {
            case ASCII.carriageReturn:
                state = .sizeEnd
                return nil
            case ASCII.space, ASCII.tab: break
            case ASCII.semicolon: state = .sizeExtension
            default: return .malformed
            }
            return countOther()
        case .sizeExtension:
            return takeRest(of: .sizeEnd, byte)
        case .sizeEnd:
            guard byte == ASCII.lineFeed else { return .malformed }
            guard size <= contentAllowance else { return .tooLong }
            contentAllowance &-= size
            state = size > 0 ? .content : .trailer
        case .content, .end:
            return .malformed  // `step` takes no byte here
        case .contentReturn:
            guard byte == ASCII.carriageReturn else { return .malformed }
            state = .contentEnd
        case .contentEnd:
            guard byte == ASCII.lineFeed else { return .malformed }
            size = 0
            state = .size(digits: 0)
        case .trailer:
            if byte == ASCII.carriageReturn {
                state = .lastEnd
                return nil
            }
            guard ASCII.isTokenByte(byte) else { return .malformed }
            state = .trailerName
            return countOther()
        case .trailerName:
            if byte == ASCII.colon { state = .trailerValue }
            guard byte == ASCII.colon || ASCII.isTokenByte(byte) else { return .malformed }
            return countOther()
        case .trailerValue:
            return takeRest(of: .trailerEnd, byte)
        case .trailerEnd:
            guard byte == ASCII.lineFeed else { return .malformed }
            state = .trailer
        case .lastEnd:
            guard byte == ASCII.lineFeed else { return .malformed }
            state = .end
        }
        return nil
    }

    /// Takes a byte of a line whose content means nothing.
    private mutating func takeRest(of end: State, _ byte: UInt8) -> Step? {
        switch byte {
        case ASCII.carriageReturn: state = end
        case 0, ASCII.lineFeed: return .malformed
        default: break
        }
        return countOther()
    }

    private mutating func countOther() -> Step? {
        otherAllowance &-= 1
        return otherAllowance < 0 ? .tooMuchBesides : nil
    }
}
