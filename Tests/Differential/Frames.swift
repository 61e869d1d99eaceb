import CSystem

/// What a program reads from its input and writes to its output: bytes behind their length, four bytes with the lowest
/// first. Whatever goes wrong with either ends the program.
enum Frames {
    /// The bytes of one frame, in a block of exactly their size: nothing of an earlier one can be read again.
    struct Frame: ~Copyable {
        private let memory: UnsafeMutableRawPointer
        private let count: Int

        fileprivate init(_ memory: UnsafeMutableRawPointer, _ count: Int) {
            self.memory = memory
            self.count = count
        }

        deinit { free(memory) }

        func withView<Result>(_ body: (ByteView) -> Result) -> Result {
            body(ByteView(memory.assumingMemoryBound(to: UInt8.self), count: count))
        }
    }

    /// The next frame; nil at the end of the input.
    static func next() -> Frame? {
        var bytes: [UInt8] = [0, 0, 0, 0]
        guard bytes.withUnsafeMutableBytes({ readAll($0.baseAddress, 4) }) else { return nil }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
        guard let memory = malloc(max(1, length)), readAll(memory, length) else { exit(2) }
        return Frame(memory, length)
    }

    static func reply(_ reply: [UInt8]) {
        var whole: [UInt8] = []
        appendLength(reply.count, to: &whole)
        whole.append(contentsOf: reply)
        whole.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, let start = bytes.baseAddress {
                let step = CSystem.write(1, start + done, bytes.count - done)
                if step <= 0 { exit(2) }
                done += step
            }
        }
    }

    /// Four bytes, the lowest first.
    static func appendLength(_ length: Int, to bytes: inout [UInt8]) {
        var rest = UInt32(truncatingIfNeeded: length)
        for _ in 0..<4 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    private static func readAll(_ memory: UnsafeMutableRawPointer?, _ count: Int) -> Bool {
        var done = 0
        while done < count {
            guard let memory else { return false }
            let step = read(0, memory + done, count - done)
            if step <= 0 { return false }
            done += step
        }
        return true
    }
}
