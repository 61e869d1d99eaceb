import HankoCore

/// Gives bytes to a function in memory of exactly their size, so that AddressSanitizer sees every read outside of them.
func withBytes<Result>(_ bytes: [UInt8], _ body: (ByteView) throws -> Result) rethrows -> Result {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    defer { memory.deallocate() }
    for (position, byte) in bytes.enumerated() { (memory + position).initialize(to: byte) }
    return try body(ByteView(memory, count: bytes.count))
}

/// Gives the UTF-8 of a text to a function.
func withBytes<Result>(of text: String, _ body: (ByteView) throws -> Result) rethrows -> Result {
    try withBytes(Array(text.utf8), body)
}

/// Bytes from a mixture of texts and single bytes, for documents that no Swift string can hold.
func bytes(_ parts: any BytesPart...) -> [UInt8] { parts.flatMap(\.partBytes) }

protocol BytesPart { var partBytes: [UInt8] { get } }

extension String: BytesPart { var partBytes: [UInt8] { Array(utf8) } }

extension Int: BytesPart { var partBytes: [UInt8] { [UInt8(self)] } }

extension ByteView {
    /// The bytes as a Swift string, checked: what is not UTF-8 fails the test that looks at it.
    var string: String? { String(validating: bytes(), as: UTF8.self) }
}
