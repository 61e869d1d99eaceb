/// A text of a JSON document as the UTF-16 units that JSON's escapes speak of; half of a surrogate pair can stand in it.
struct JSONText: Hashable {
    let units: [UInt16]

    init(units: [UInt16]) { self.units = units }

    init(_ text: String) { units = Array(text.utf16) }

    /// Whether there is half of a surrogate pair in it.
    var hasLoneSurrogate: Bool {
        var decoder = UTF16()
        var iterator = units.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return false
            case .error: return true
            }
        }
    }

    /// The text when it is one.
    var string: String? { hasLoneSurrogate ? nil : String(decoding: units, as: UTF16.self) }

    /// Its UTF-8, where half of a pair becomes the three bytes that its number would have.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < units.count {
            let unit = units[position]
            let next = position + 1 < units.count ? units[position + 1] : 0
            position += 1
            if UTF16.isLeadSurrogate(unit), UTF16.isTrailSurrogate(next) {
                result += Array(String(decoding: [unit, next], as: UTF16.self).utf8)
                position += 1
            } else if UTF16.isSurrogate(unit) {
                result += [0xED, 0x80 | UInt8(unit >> 6 & 0x3F), 0x80 | UInt8(unit & 0x3F)]
            } else {
                result += Array(String(decoding: [unit], as: UTF16.self).utf8)
            }
        }
        return result
    }
}
