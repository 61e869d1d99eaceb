/// What a reader found in a document, as bytes that another program can write as well: brackets for arrays and objects,
/// `k` for a name, `s` for a text, `n` for a number as it was written, each with its length and bytes, and `t`, `f` and
/// `z` for true, false and null.
struct Reading {
    private(set) var bytes: [UInt8] = [0x41]

    /// Reads a document to its end; false when it is refused.
    mutating func read(_ document: ByteView) -> Bool {
        var reader = JSONReader(document)
        do {
            while true {
                switch try reader.next() {
                case .beginObject: bytes.append(0x7B)
                case .endObject: bytes.append(0x7D)
                case .beginArray: bytes.append(0x5B)
                case .endArray: bytes.append(0x5D)
                case .key(let name): append(0x6B, name.bytes())
                case .string(let text): append(0x73, text.bytes())
                case .number(let digits): append(0x6E, digits.bytes())
                case .boolean(let value): bytes.append(value ? 0x74 : 0x66)
                case .null: bytes.append(0x7A)
                case .end: return true
                }
            }
        } catch {
            return false
        }
    }

    private mutating func append(_ kind: UInt8, _ content: [UInt8]) {
        bytes.append(kind)
        Frames.appendLength(content.count, to: &bytes)
        bytes.append(contentsOf: content)
    }
}
