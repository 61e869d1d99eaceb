/// Texts in C buffers of a fixed size.
package enum CutText {
    /// Copies a text and a NUL; what does not fit is cut off at a character.
    package static func copy(_ text: String, to memory: UnsafeMutablePointer<CChar>, capacity: Int) {
        guard capacity > 0 else { return }
        var length = 0
        for byte in text.utf8 {
            guard length < capacity &- 1 else {
                // Not in the middle of a character: what is there of it goes.
                if byte & 0xC0 == 0x80 {
                    while length > 0, UInt8(bitPattern: memory[length &- 1]) & 0xC0 == 0x80 { length &-= 1 }
                    if length > 0 { length &-= 1 }
                }
                break
            }
            memory[length] = CChar(bitPattern: byte)
            length &+= 1
        }
        memory[length] = 0
    }
}
