/// A second JSON reader, written from RFC 8259 without a look at the library's: recursive, wasteful and short, so that
/// one can see that it is right. The fuzz targets compare the two.
struct JSONModel {
    private static let maximumDepth = 64

    /// What a backslash and one letter stand for.
    private static let escapes: [UInt8: UInt16] = [
        0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09,
    ]

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value of a document; nil when it must be refused.
    static func parse(_ bytes: [UInt8]) -> JSONValue? {
        // The standard library's decoder is the judge of UTF-8.
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var model = JSONModel(bytes)
        model.skipBlanks()
        guard let value = model.value(depth: 0) else { return nil }
        model.skipBlanks()
        return model.position == bytes.count ? value : nil
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    /// Steps over a text when it is what comes next.
    private mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        if take("true") { return .boolean(true) }
        if take("false") { return .boolean(false) }
        if take("null") { return .null }
        if current == UInt8(ascii: "\"") { return string().map { .text($0) } }
        if current == UInt8(ascii: "[") { return array(depth: depth + 1) }
        if current == UInt8(ascii: "{") { return object(depth: depth + 1) }
        return number()
    }

    private mutating func array(depth: Int) -> JSONValue? {
        guard depth <= Self.maximumDepth, take("[") else { return nil }
        var elements: [JSONValue] = []
        skipBlanks()
        if take("]") { return .array(elements) }
        while true {
            skipBlanks()
            guard let element = value(depth: depth) else { return nil }
            elements.append(element)
            skipBlanks()
            if take("]") { return .array(elements) }
            guard take(",") else { return nil }
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        guard depth <= Self.maximumDepth, take("{") else { return nil }
        var members: [JSONValue.Member] = []
        var names: Set<[UInt16]> = []
        skipBlanks()
        if take("}") { return .object(members) }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\""), let name = string(), names.insert(name.units).inserted else {
                return nil
            }
            skipBlanks()
            guard take(":") else { return nil }
            skipBlanks()
            guard let value = value(depth: depth) else { return nil }
            members.append(JSONValue.Member(name: name, value: value))
            skipBlanks()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func string() -> JSONText? {
        position += 1
        var units: [UInt16] = []
        var plain: [UInt8] = []
        while let byte = current {
            position += 1
            if byte < 0x20 { return nil }
            if byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                plain.append(byte)
                continue
            }
            units += Array(String(decoding: plain, as: UTF8.self).utf16)
            plain = []
            if byte == UInt8(ascii: "\"") { return JSONText(units: units) }
            guard let escape = current else { return nil }
            position += 1
            if let unit = Self.escapes[escape] {
                units.append(unit)
            } else {
                let digits = bytes[position...].prefix(4)
                guard escape == UInt8(ascii: "u"), digits.count == 4,
                    digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
                    let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
                else { return nil }
                units.append(unit)
                position += 4
            }
        }
        return nil
    }

    private mutating func number() -> JSONValue? {
        let start = position
        _ = take("-")
        if !take("0") { guard digits() else { return nil } }
        if take(".") { guard digits() else { return nil } }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard digits() else { return nil }
        }
        return .number(Array(bytes[start..<position]))
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position > start
    }
}
