/// One member of an object that Hanko sent, as far as the verdict needs it. The member's value has been read, and so
/// checked, to its end.
package enum JSONField {
    /// Not sent, or null, which counts as not sent.
    case absent
    case text(JSONString)
    case number(ByteView)
    case boolean(Bool)
    /// An array or object as it was written.
    case container(ByteView)

    var isAbsent: Bool {
        if case .absent = self { return true }
        return false
    }

    /// The text; nil for everything else.
    var text: JSONString? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// The field itself; nil when it was not sent.
    var ifSent: JSONField? { isAbsent ? nil : self }

    /// The text as a time of RFC 3339, in seconds since 1970; nil for everything else.
    @inline(never)
    var time: Int64? { text.flatMap { $0.withShortText { Timestamp.rfc3339($0) } } }

    /// The text as a UUID; nil for everything else.
    @inline(never)
    var uuid: UUIDValue? { text.flatMap { $0.withShortText { UUIDValue($0) } } }
}
