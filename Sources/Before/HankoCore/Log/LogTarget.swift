/// Who receives log lines.
package enum LogTarget: @unchecked Sendable {
    package typealias Function =
        @convention(c) (
            _ context: UnsafeMutableRawPointer?, _ level: Int32, _ message: UnsafePointer<CChar>?
        ) -> Void

    case standardError
    /// A function of the host and what it wants to be given.
    case function(Function, context: UnsafeMutableRawPointer?)
}
