/// What a JSON document says; numbers as they were written, members in their order.
indirect enum JSONValue: Equatable {
    struct Member: Equatable {
        var name: JSONText
        var value: JSONValue
    }

    case null
    case boolean(Bool)
    case number([UInt8])
    case text(JSONText)
    case array([JSONValue])
    case object([Member])

    /// How many arrays and objects stand inside each other.
    var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }

    /// The member of a name, when there is one and it is not null.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        let value = members.first { $0.name == JSONText(name) }?.value
        return value == .null ? nil : value
    }

    var text: JSONText? {
        if case .text(let text) = self { return text }
        return nil
    }

    var isObject: Bool {
        if case .object = self { return true }
        return false
    }

    var isNumber: Bool {
        if case .number = self { return true }
        return false
    }
}
