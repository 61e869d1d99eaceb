/// A strict reader of one JSON document: RFC 8259 to the letter.
///
/// Beyond the grammar it checks that strings are UTF-8, that no object has two members of one name at any level, that
/// at most 64 arrays and objects stand inside each other, and that nothing but white space follows the value. The
/// verdict rests on it: what a lenient reader would guess about is refused here.
///
/// It does not recurse, copies nothing, and gives numbers as they were written. Only a document of more than 32 members
/// makes it allocate (`JSONKeySet`). A document counts as read when `next` has given `.end`; before that, a later part
/// may still be malformed.
package struct JSONReader: ~Copyable {
    package static var maximumDepth: Int { 64 }

    private enum Expectation {
        case value
        case firstElementOrEnd
        case firstKeyOrEnd
        case commaOrEnd
        case end
    }

    private let document: ByteView
    /// How many bytes have been read.
    package private(set) var position = 0
    /// How many of them were white space outside of strings.
    package private(set) var whiteSpaceCount = 0
    private var expectation = Expectation.value
    private var keys = JSONKeySet()

    /// How many arrays and objects stand around the current position.
    package private(set) var depth = 0
    /// What they are, the outermost first: the number of an object, by which `JSONKeySet` knows it, or 0 for an array.
    private var containers = InlineArray<64, UInt32>(repeating: 0)
    /// The innermost of them; also 0 where there is none.
    private var container: UInt32 = 0
    private var objectCount: UInt32 = 0

    package init(_ document: ByteView) {
        self.document = document
    }

    /// Reads the next token.
    ///
    /// - Throws: `JSONError` at the first violation; the reader must not be used afterwards.
    package mutating func next() throws(JSONError) -> JSONToken {
        skipWhiteSpace()
        switch expectation {
        case .value:
            return try value()
        case .firstElementOrEnd:
            return current == ASCII.closeBracket ? close() : try value()
        case .firstKeyOrEnd:
            return try keyOrEnd()
        case .commaOrEnd:
            return isInObject ? try keyOrEnd() : try elementOrEnd()
        case .end:
            guard position >= document.count else { throw error(.unexpectedByte) }
            return .end
        }
    }

    /// Reads the rest of the document, checking all of it.
    package mutating func finish() throws(JSONError) {
        while true {
            if case .end = try next() { return }
        }
    }

    /// What was read since a position.
    package func text(from start: Int) -> ByteView { document.slice(from: start, to: position) }

    // MARK: Objects and their members

    /// Reads the beginning of the value that comes next when it is an object, and all of it when it is not.
    ///
    /// - Returns: whether it is an object; `nextKey` then gives its members.
    package mutating func openObject() throws(JSONError) -> Bool {
        switch try next() {
        case .beginObject:
            return true
        case .beginArray:
            _ = try skipOpenContainer()
            return false
        default:
            return false
        }
    }

    /// Reads the name of the next member of the object around the current position, whose value must then be read.
    ///
    /// - Returns: nil when the object has ended.
    package mutating func nextKey() throws(JSONError) -> JSONString? {
        switch expectation {
        case .firstKeyOrEnd:
            if comesNext(ASCII.closeBrace) {
                _ = close()
                return nil
            }
        case .commaOrEnd where isInObject:
            guard comesNext(ASCII.comma) else {
                guard current == ASCII.closeBrace else { throw error(.unexpectedByte) }
                _ = close()
                return nil
            }
            position &+= 1
        default:
            throw error(.unexpectedByte)
        }
        return try key()
    }

    /// Reads the value of the member whose name `nextKey` has just read, checking all of it.
    package mutating func field() throws(JSONError) -> JSONField {
        guard expectation == .value else { throw error(.unexpectedByte) }
        skipWhiteSpace()
        switch try value() {
        case .string(let text): return .text(text)
        case .number(let digits): return .number(digits)
        case .boolean(let value): return .boolean(value)
        case .beginObject, .beginArray: return .container(try skipOpenContainer())
        default: return .absent
        }
    }

    /// Reads to the end of the array or object that `next` has just opened, checking all of it.
    ///
    /// - Returns: the array or object as it was written.
    package mutating func skipOpenContainer() throws(JSONError) -> ByteView {
        let start = position &- 1
        let outer = depth &- 1
        while depth > outer { _ = try next() }
        return text(from: start)
    }

    // MARK: Structure

    /// The byte at the current position; 0, which no JSON text has outside of strings, at the end.
    @inline(__always)
    private var current: UInt8 { document[position] }

    private func error(_ kind: JSONError.Kind) -> JSONError { JSONError(kind: kind, position: position) }

    @inline(__always)
    private mutating func skipWhiteSpace() {
        // Hanko sends none, so that this is nearly always all of it.
        if current > ASCII.space { return }
        skipAllWhiteSpace()
    }

    @inline(never)
    private mutating func skipAllWhiteSpace() {
        let start = position
        while Self.isWhiteSpace(current) { position &+= 1 }
        whiteSpaceCount &+= position &- start
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.tab || byte == ASCII.lineFeed || byte == ASCII.carriageReturn
    }

    /// Goes over white space and looks for a byte.
    @inline(__always)
    private mutating func comesNext(_ byte: UInt8) -> Bool {
        // Nearly always it is there at once.
        if current == byte { return true }
        skipWhiteSpace()
        return current == byte
    }

    private var isInObject: Bool { container != 0 }

    private mutating func keyOrEnd() throws(JSONError) -> JSONToken {
        guard let key = try nextKey() else { return .endObject }
        return .key(key)
    }

    private mutating func elementOrEnd() throws(JSONError) -> JSONToken {
        if current == ASCII.comma {
            position &+= 1
            skipWhiteSpace()
            return try value()
        }
        guard current == ASCII.closeBracket else { throw error(.unexpectedByte) }
        return close()
    }

    private mutating func open(object: Bool) throws(JSONError) -> JSONToken {
        guard depth < Self.maximumDepth else { throw error(.tooDeep) }
        position &+= 1
        if object { objectCount &+= 1 }
        container = object ? objectCount : 0
        containers[depth] = container
        depth &+= 1
        expectation = object ? .firstKeyOrEnd : .firstElementOrEnd
        return object ? .beginObject : .beginArray
    }

    private mutating func close() -> JSONToken {
        let wasObject = isInObject
        position &+= 1
        depth &-= 1
        container = depth > 0 ? containers[depth &- 1] : 0
        valueEnded()
        return wasObject ? .endObject : .endArray
    }

    private mutating func valueEnded() { expectation = depth == 0 ? .end : .commaOrEnd }

    @inline(__always)
    private mutating func key() throws(JSONError) -> JSONString {
        guard document.count <= Int(Int32.max) else { throw error(.tooLarge) }
        guard comesNext(ASCII.quote) else { throw error(.unexpectedByte) }
        let start = position &+ 1
        let name = try string()
        guard keys.insert(name, at: start, object: container, in: document) else {
            throw error(keys.lacksMemory ? .noMemory : .duplicateKey)
        }
        guard comesNext(ASCII.colon) else { throw error(.unexpectedByte) }
        position &+= 1
        expectation = .value
        return name
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSONToken {
        switch current {
        case ASCII.openBrace: return try open(object: true)
        case ASCII.openBracket: return try open(object: false)
        case ASCII.quote:
            let text = try string()
            valueEnded()
            return .string(text)
        case 0x74:
            try literal("true")
            return .boolean(true)
        case 0x66:
            try literal("false")
            return .boolean(false)
        case 0x6E:
            try literal("null")
            return .null
        case ASCII.minus, 0x30...0x39:
            let digits = try number()
            valueEnded()
            return .number(digits)
        default:
            throw error(.unexpectedByte)
        }
    }

    @inline(__always)
    private mutating func literal(_ text: StaticString) throws(JSONError) {
        let expected = ByteView(text)
        guard document.slice(from: position).hasPrefix(expected) else { throw error(.unexpectedByte) }
        position &+= expected.count
        valueEnded()
    }

    private mutating func number() throws(JSONError) -> ByteView {
        let start = position
        if current == ASCII.minus { position &+= 1 }
        if current == ASCII.zero {
            position &+= 1
        } else {
            try digits()
        }
        if current == ASCII.dot {
            position &+= 1
            try digits()
        }
        if current | 0x20 == 0x65 {
            position &+= 1
            if current == ASCII.plus || current == ASCII.minus { position &+= 1 }
            try digits()
        }
        return text(from: start)
    }

    private mutating func digits() throws(JSONError) {
        var end = position
        while ASCII.isDigit(document[end]) { end &+= 1 }
        guard end > position else { throw error(.unexpectedByte) }
        position = end
    }

    @inline(__always)
    private mutating func string() throws(JSONError) -> JSONString {
        let start = position &+ 1
        let text = document.plainText(from: start)
        let end = start &+ text.count
        guard document[end] == ASCII.quote else { return try string(from: start, readTo: end) }
        position = end &+ 1
        return JSONString(raw: text, hasEscapes: false)
    }

    /// Reads the rest of a string that has escapes or more than ASCII.
    @inline(never)
    private mutating func string(from start: Int, readTo end: Int) throws(JSONError) -> JSONString {
        position = end
        var hasEscapes = false
        while true {
            switch current {
            case ASCII.quote:
                let raw = text(from: start)
                position &+= 1
                return JSONString(raw: raw, hasEscapes: hasEscapes)
            case ASCII.backslash:
                hasEscapes = true
                try escape()
            case 0x80...0xFF:
                let length = UTF8Text.sequenceLength(in: document, at: position)
                guard length > 0 else { throw error(.notUTF8) }
                position &+= length
            default:
                throw error(.unexpectedByte)  // a control character, or the end of the text, where `current` is 0
            }
            position &+= document.plainRun(from: position)
        }
    }

    private mutating func escape() throws(JSONError) {
        position &+= 1
        switch current {
        case ASCII.quote, ASCII.backslash, ASCII.slash, 0x62, 0x66, 0x6E, 0x72, 0x74:
            position &+= 1
        case 0x75:
            position &+= 1
            var digit = 0
            while digit < 4 {
                guard ASCII.hexadecimal(current) != nil else { throw error(.unexpectedByte) }
                position &+= 1
                digit &+= 1
            }
        default:
            throw error(.unexpectedByte)
        }
    }
}
