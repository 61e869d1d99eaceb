import CSystem
import HankoCore

/// Texts on their way between C and Swift.
enum CText {
    /// A constant text of Swift as a C string: a StaticString lies in the library's constants and ends with a NUL.
    static func constant(_ text: StaticString) -> UnsafePointer<CChar>? {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// A C string; empty for NULL.
    static func view(_ text: UnsafePointer<CChar>?) -> ByteView {
        view(text, text.map { Int(strlen($0)) } ?? 0)
    }

    /// Bytes with their length; empty for NULL.
    static func view(_ text: UnsafePointer<CChar>?, _ length: Int) -> ByteView {
        ByteView(UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self), count: length)
    }
}
