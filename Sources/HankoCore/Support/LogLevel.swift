/// How much is logged: everything at this level and above it. The numbers are those of the C API.
package enum LogLevel: Int32, Comparable {
    case off = 0
    case error = 1
    case warning = 2
    case info = 3
    case debug = 4

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    package init?(named name: ByteView) {
        if name.equals(ByteView("off")) {
            self = .off
        } else if name.equals(ByteView("error")) {
            self = .error
        } else if name.equals(ByteView("warning")) {
            self = .warning
        } else if name.equals(ByteView("info")) {
            self = .info
        } else if name.equals(ByteView("debug")) {
            self = .debug
        } else {
            return nil
        }
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
