/// Walks through the members of one object.
enum JSONObject {
    /// Reads a document that should be an object, to its end.
    ///
    /// - Parameters:
    ///   - document: the whole document.
    ///   - member: is called for each member after its name; it must read the member's value, which `JSONField.read`
    ///     does.
    /// - Returns: false when the document is well-formed but not an object.
    static func read(
        _ document: ByteView, member: (JSONString, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) -> Bool {
        var reader = JSONReader(document)
        var isObject = false
        if case .beginObject = try reader.next() { isObject = true }
        while true {
            switch try reader.next() {
            case .key(let key) where isObject: try member(key, &reader)
            case .end: return isObject
            default: break
            }
        }
    }
}
