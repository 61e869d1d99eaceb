/// How much is logged: everything at this level and above it. The numbers are those of the C API.
package enum LogLevel: Int32, CaseIterable, Comparable {
    case off = 0
    case error = 1
    case warning = 2
    case info = 3
    case debug = 4

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// In any case: an environment is often written in capitals.
    package init?(named name: ByteView) {
        guard let level = Self.allCases.first(where: { name.equalsIgnoringCase(ByteView($0.name)) }) else { return nil }
        self = level
    }

    package var name: StaticString {
        switch self {
        case .off: "off"
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        case .debug: "debug"
        }
    }
}
