/// A variable that is set, that nothing here reads, and whose name is near to one of ours.
package struct MisspelledVariable {
    package let name: [UInt8]
    package let meant: ByteView

    /// For the log; the name is somebody else's text, but near to one of ours.
    package var text: String {
        let name = name.withUnsafeBufferPointer { ByteView($0).text() }
        return "\(name) is set, but no such variable is read; did you mean \(meant.text())?"
    }
}
