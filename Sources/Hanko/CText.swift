/// Swift's constant texts as C strings.
enum CText {
    /// A StaticString lies in the library's constants and ends with a NUL.
    static func constant(_ text: StaticString) -> UnsafePointer<CChar>? {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
