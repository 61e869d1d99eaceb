/// What `JSONReader` found next.
package enum JSONToken {
    case beginObject
    case endObject
    case beginArray
    case endArray
    /// The name of a member; its value follows.
    case key(JSONString)
    case string(JSONString)
    /// A number as it was written; no digit is lost.
    case number(ByteView)
    case boolean(Bool)
    case null
    /// The document is complete and nothing but white space follows it.
    case end
}
