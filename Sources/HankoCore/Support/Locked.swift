/// A value that several threads use, one at a time.
///
/// The lock is held for moments only: the function that is given the value must not wait, log or call anything back.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    @inline(__always)
    package func with<Result>(_ body: (inout Value) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}
