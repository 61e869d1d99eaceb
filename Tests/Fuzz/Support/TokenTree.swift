import HankoCore

/// Puts the tokens of the library's reader together to a value, and looks at each token on the way.
struct TokenTree: ~Copyable {
    private let whole: ByteView
    private let looksAtTexts: Bool
    private var reader: JSONReader

    /// `looksAtTexts`: each text is resolved in every way there is, which takes most of the time.
    init(_ whole: ByteView, looksAtTexts: Bool) {
        self.whole = whole
        self.looksAtTexts = looksAtTexts
        reader = JSONReader(whole)
    }

    mutating func read() throws(JSONError) -> JSONValue {
        let value = try value(try reader.next())
        require(reader.depth == 0, "the depth after the value")
        guard case .end = try reader.next() else { fatalError("a token after the value") }
        guard case .end = try reader.next() else { fatalError("the end is not the end") }
        return value
    }

    /// The reader allows 64 levels, so recursion is safe.
    private mutating func value(_ token: JSONToken) throws(JSONError) -> JSONValue {
        let depth = reader.depth
        require(depth >= 0 && depth <= JSONReader.maximumDepth, "the depth")
        switch token {
        case .null: return .null
        case .boolean(let value): return .boolean(value)
        case .string(let string): return .text(text(string))
        case .number(let digits):
            require(digits.lies(in: whole) && !digits.isEmpty, "a number outside of the document")
            return .number(digits.bytes())
        case .beginArray:
            var elements: [JSONValue] = []
            while true {
                let next = try reader.next()
                if case .endArray = next {
                    require(reader.depth == depth - 1, "the depth after an array")
                    return .array(elements)
                }
                elements.append(try value(next))
            }
        case .beginObject:
            var members: [JSONValue.Member] = []
            while true {
                switch try reader.next() {
                case .endObject:
                    require(reader.depth == depth - 1, "the depth after an object")
                    return .object(members)
                case .key(let name):
                    let name = text(name)
                    members.append(JSONValue.Member(name: name, value: try value(try reader.next())))
                default:
                    fatalError("neither a name nor the end of the object")
                }
            }
        case .endArray, .endObject, .key, .end:
            fatalError("a token in the wrong place")
        }
    }

    private func text(_ string: JSONString) -> JSONText {
        require(string.raw.lies(in: whole), "a text outside of the document")
        let bytes = string.bytes()
        let text = Self.units(of: bytes)
        if looksAtTexts { check(string, bytes, text) }
        return text
    }

    /// Everything that the library says of a text must fit together.
    private func check(_ string: JSONString, _ bytes: [UInt8], _ text: JSONText) {
        let short = string.hasEscapes && bytes.count > 64 ? nil : bytes
        require(string.withShortText { $0.bytes() } == short, "withShortText and bytes differ")
        require(string.isEmpty == bytes.isEmpty, "isEmpty")
        require(string.equals(string), "a text differs from itself")
        require(equals(string, bytes), "a text differs from its bytes")
        require(!equals(string, bytes + [0x78]), "a text equals a longer one")
        require(bytes.isEmpty || !equals(string, bytes.dropLast()), "a text equals a shorter one")
        require(text.bytes == bytes, "not the UTF-8 of a text")
        require(string.fitsCString == (!bytes.contains(0) && !text.hasLoneSurrogate), "fitsCString")
        if !text.hasLoneSurrogate { require(isWrittenBack(bytes), "the writer does not give the text back") }
    }

    private func equals(_ string: JSONString, _ bytes: [UInt8]) -> Bool {
        withExactCopy(bytes) { string.equals($0) }
    }

    /// The text of UTF-8 in which halves of surrogate pairs may stand as three bytes.
    private static func units(of bytes: [UInt8]) -> JSONText {
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == 0xED, position + 2 < bytes.count, bytes[position + 1] >= 0xA0 {
                units += Array(String(decoding: plain, as: UTF8.self).utf16)
                plain = []
                units.append(0xD000 | UInt16(bytes[position + 1] & 0x3F) << 6 | UInt16(bytes[position + 2] & 0x3F))
                position += 3
            } else {
                plain.append(bytes[position])
                position += 1
            }
        }
        return JSONText(units: units + Array(String(decoding: plain, as: UTF8.self).utf16))
    }

    /// Whether a text that the library's writer has written is read as the same one.
    private func isWrittenBack(_ bytes: [UInt8]) -> Bool {
        withExactCopy(bytes) { text in
            var buffer = SecretBuffer()
            guard JSONWriter.appendString(text, to: &buffer), !buffer.hasOverflowed else { return false }
            return buffer.withView { JSONModel.parse($0.bytes())?.text?.bytes == bytes }
        }
    }
}
