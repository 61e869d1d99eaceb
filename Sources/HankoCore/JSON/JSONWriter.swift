/// Writes JSON strings (RFC 8259 section 7).
package enum JSONWriter {
    /// How many bytes `appendString` adds for a text, quotes included.
    package static func stringLength(of text: ByteView) -> Int {
        var length = 2
        var position = 0
        while position < text.count {
            switch text[position] {
            case ASCII.quote, ASCII.backslash: length &+= 2
            case 0..<0x20: length &+= 6
            default: length &+= 1
            }
            position &+= 1
        }
        return length
    }

    /// Appends a text as a JSON string. Only what must be escaped is: quotes, backslashes and control characters.
    ///
    /// - Parameters:
    ///   - text: UTF-8; the caller has checked that.
    ///   - buffer: has room for `stringLength(of: text)` bytes.
    package static func appendString(_ text: ByteView, to buffer: inout SecretBuffer) {
        buffer.append(ASCII.quote)
        // What needs no escape is copied in one piece, and that is nearly always all of it.
        var pieceStart = 0
        var position = 0
        while position < text.count {
            let byte = text[position]
            guard byte < 0x20 || byte == ASCII.quote || byte == ASCII.backslash else {
                position &+= 1
                continue
            }
            buffer.append(text.slice(from: pieceStart, to: position))
            position &+= 1
            pieceStart = position
            switch byte {
            case ASCII.quote, ASCII.backslash:
                buffer.append(ASCII.backslash)
                buffer.append(byte)
            default:
                buffer.append(ByteView("\\u00"))
                buffer.append(byte >> 4 &+ ASCII.zero)
                let low = byte & 0x0F
                buffer.append(low < 10 ? low &+ ASCII.zero : low &- 10 &+ 0x61)
            }
        }
        buffer.append(text.slice(from: pieceStart))
        buffer.append(ASCII.quote)
    }

    /// Appends a JSON text without the white space between its parts.
    ///
    /// - Parameter document: well-formed JSON.
    package static func appendCompact(_ document: ByteView, to bytes: inout [UInt8]) {
        var isInString = false
        var position = 0
        while position < document.count {
            let byte = document[position]
            position &+= 1
            if isInString {
                bytes.append(byte)
                if byte == ASCII.backslash {
                    bytes.append(document[position])
                    position &+= 1
                } else if byte == ASCII.quote {
                    isInString = false
                }
                continue
            }
            switch byte {
            case ASCII.space, 0x09, ASCII.lineFeed, ASCII.carriageReturn: continue
            case ASCII.quote: isInString = true
            default: break
            }
            bytes.append(byte)
        }
    }
}
