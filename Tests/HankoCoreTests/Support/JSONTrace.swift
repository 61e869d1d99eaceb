import HankoCore

/// What the reader says of a whole document.
enum JSONTrace {
    /// The tokens in the order they came, each as a short text; `end` is the last.
    static func tokens(of document: [UInt8]) throws -> [String] {
        try withBytes(document) { view in
            var reader = JSONReader(view)
            var found: [String] = []
            while true {
                let token = try reader.next()
                found.append(description(of: token))
                if case .end = token { return found }
            }
        }
    }

    static func tokens(of document: String) throws -> [String] { try tokens(of: Array(document.utf8)) }

    /// Why the reader refuses a document; nil when it accepts it.
    static func refusal(of document: [UInt8]) -> JSONError? {
        do {
            _ = try tokens(of: document)
            return nil
        } catch let error as JSONError {
            return error
        } catch {
            fatalError("the reader throws nothing else")
        }
    }

    static func refusal(of document: String) -> JSONError? { refusal(of: Array(document.utf8)) }

    static func isAccepted(_ document: String) -> Bool { refusal(of: document) == nil }

    /// The text of a document that is one string; nil when it is refused or something else.
    static func string<Result>(_ document: [UInt8], _ body: (JSONString) -> Result) -> Result? {
        withBytes(document) { view in
            var reader = JSONReader(view)
            guard case .string(let text)? = try? reader.next(), case .end? = try? reader.next() else { return nil }
            return body(text)
        }
    }

    private static func description(of token: JSONToken) -> String {
        switch token {
        case .beginObject: "{"
        case .endObject: "}"
        case .beginArray: "["
        case .endArray: "]"
        case .key(let name): "key \(String(decoding: name.bytes(), as: UTF8.self))"
        case .string(let text): "string \(String(decoding: text.bytes(), as: UTF8.self))"
        case .number(let digits): "number \(String(decoding: digits.bytes(), as: UTF8.self))"
        case .boolean(let value): "\(value)"
        case .null: "null"
        case .end: "end"
        }
    }
}
