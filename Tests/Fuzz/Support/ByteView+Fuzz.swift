import CSystem
import HankoCore

/// Gives a copy of bytes to a function, in a block of exactly their size: AddressSanitizer sees every read beyond it.
func withExactCopy<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
    guard let memory = malloc(max(1, bytes.count)) else { fatalError("no memory") }
    defer { free(memory) }
    let copy = memory.assumingMemoryBound(to: UInt8.self)
    for (position, byte) in bytes.enumerated() { copy[position] = byte }
    return body(ByteView(copy, count: bytes.count))
}

/// The input as libFuzzer gives it.
func input(_ data: UnsafePointer<UInt8>?, _ size: Int) -> [UInt8] {
    [UInt8](UnsafeBufferPointer(start: data, count: size))
}

extension ByteView {
    /// Whether all of it lies inside of another view.
    func lies(in whole: ByteView) -> Bool {
        guard count > 0 else { return true }
        guard let mine = start, let theirs = whole.start else { return false }
        return mine >= theirs && mine + count <= theirs + whole.count
    }
}
