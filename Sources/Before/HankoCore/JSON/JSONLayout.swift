/// Finds the parts of JSON that a `JSONReader` has read, and so checked, before: it looks only for where strings, arrays
/// and objects end. What is not JSON gives parts that make no sense, and nothing worse.
struct JSONLayout {
    private let document: ByteView
    private(set) var position: Int

    init(_ document: ByteView, at position: Int = 0) {
        self.document = document
        self.position = position
    }

    /// The next member of the object that is the whole document, which has no white space outside of strings: its name
    /// without the quotes and its value.
    ///
    /// - Returns: nil after the last.
    mutating func nextMember() -> (name: JSONString, value: ByteView)? {
        // Over the brace or the comma.
        position &+= 1
        guard document[position] == ASCII.quote else { return nil }
        let name = string()
        position &+= 1
        let start = position
        skipValue()
        return (name, document.slice(from: start, to: position))
    }

    /// Reads a string from its first quote to behind its last.
    mutating func string() -> JSONString {
        let start = position &+ 1
        position = start
        var hasEscapes = false
        while true {
            position &+= document.plainRun(from: position)
            guard position < document.count, document[position] != ASCII.quote else { break }
            if document[position] == ASCII.backslash {
                hasEscapes = true
                position &+= 1
            }
            position &+= 1
        }
        position &+= 1
        return JSONString(raw: document.slice(from: start, to: position &- 1), hasEscapes: hasEscapes)
    }

    /// Goes to the comma or bracket behind a value.
    private mutating func skipValue() {
        var depth = 0
        while position < document.count {
            switch document[position] {
            case ASCII.quote:
                _ = string()
                continue
            case ASCII.openBracket, ASCII.openBrace:
                depth &+= 1
            case ASCII.closeBracket, ASCII.closeBrace:
                if depth == 0 { return }
                depth &-= 1
            case ASCII.comma:
                if depth == 0 { return }
            default:
                break
            }
            position &+= 1
        }
    }
}
