/// Writes JSON (RFC 8259), and the texts in it.
package enum JSONWriter {
    /// Appends a text as a JSON string, and makes room for it where there is none. Only what must be escaped is: quotes,
    /// backslashes and control characters.
    ///
    /// - Parameters:
    ///   - text: UTF-8; the caller has checked that.
    ///   - buffer: is appended to; the text may be a token.
    /// - Returns: false when there is no memory; nothing is then appended.
    package static func appendString(_ text: ByteView, to buffer: inout SecretBuffer) -> Bool {
        // What needs no escape is copied in one piece, and that is nearly always all of it: then it is not walked through
        // a second time for its length.
        let plain = text.plainRun(from: 0)
        let rest = text.slice(from: plain)
        guard buffer.reserve(buffer.count &+ 2 &+ plain &+ contentLength(of: rest)) else { return false }
        buffer.append(ASCII.quote)
        buffer.append(text.slice(from: 0, to: plain))
        appendContent(rest, to: &buffer)
        buffer.append(ASCII.quote)
        return true
    }

    /// How many bytes a text takes within a JSON string.
    private static func contentLength(of text: ByteView) -> Int {
        var length = text.count
        var position = text.plainRun(from: 0)
        while position < text.count {
            switch text[position] {
            case ASCII.quote, ASCII.backslash: length &+= 1
            case 0..<0x20: length &+= 5
            default: break
            }
            position &+= 1
            position &+= text.plainRun(from: position)
        }
        return length
    }

    private static func appendContent(_ text: ByteView, to buffer: inout SecretBuffer) {
        var position = 0
        while position < text.count {
            let run = text.plainRun(from: position)
            buffer.append(text.slice(from: position, to: position &+ run))
            position &+= run
            guard position < text.count else { return }
            appendCharacter(text[position], to: &buffer)
            position &+= 1
        }
    }

    private static func appendCharacter(_ byte: UInt8, to buffer: inout SecretBuffer) {
        switch byte {
        case ASCII.quote, ASCII.backslash:
            buffer.append(ASCII.backslash)
            buffer.append(byte)
        case 0..<0x20:
            buffer.append(ByteView("\\u00"))
            buffer.append(byte >> 4 &+ ASCII.zero)
            let low = byte & 0x0F
            buffer.append(low < 10 ? low &+ ASCII.zero : low &- 10 &+ 0x61)
        default:
            buffer.append(byte)
        }
    }

    /// Appends a text with its escapes resolved.
    static func appendResolved(_ text: JSONString, to texts: inout TextMemory) {
        guard text.hasEscapes else {
            texts.append(text.raw)
            return
        }
        var decoder = JSONStringDecoder(text)
        while let byte = decoder.next() { texts.append(byte) }
    }

    /// Appends JSON without the white space between its parts.
    ///
    /// - Parameter document: was read by a `JSONReader`.
    static func appendCompact(_ document: ByteView, to texts: inout TextMemory) {
        var position = 0
        while position < document.count {
            let byte = document[position]
            switch byte {
            case ASCII.quote:
                var layout = JSONLayout(document, at: position)
                _ = layout.string()
                texts.append(document.slice(from: position, to: layout.position))
                position = layout.position
                continue
            case ASCII.space, ASCII.tab, ASCII.lineFeed, ASCII.carriageReturn:
                break
            default:
                texts.append(byte)
            }
            position &+= 1
        }
    }
}
