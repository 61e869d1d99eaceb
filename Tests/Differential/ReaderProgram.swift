import CSystem

/// Reads JSON documents from standard input with the library's reader and says what it found in them.
///
/// Each document comes as its length, four bytes with the lowest first, and its bytes. Each reply has the same form: one
/// byte `R` for a refused document; for an accepted one `A` and everything in it, in the form that `Reading` writes and
/// `test_json_differential.py` writes as well. Comparing what was read, and not only that it was, covers the escapes too.
///
/// It is built as the release library is, as Embedded Swift: what ships is what is compared.
@main
struct ReaderProgram {
    static func main() {
        while let length = readLength() {
            // A block of exactly the document's size for each: nothing of an earlier document can be read again.
            guard let memory = malloc(max(1, length)) else { exit(2) }
            guard readAll(memory, length) else { exit(2) }
            let document = ByteView(memory.assumingMemoryBound(to: UInt8.self), count: length)
            var reading = Reading()
            write(reading.read(document) ? reading.bytes : [0x52])
            free(memory)
        }
    }

    private static func readLength() -> Int? {
        var bytes: [UInt8] = [0, 0, 0, 0]
        guard bytes.withUnsafeMutableBytes({ readAll($0.baseAddress, 4) }) else { return nil }
        return Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
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

    private static func write(_ reply: [UInt8]) {
        var whole: [UInt8] = []
        Reading.appendLength(reply.count, to: &whole)
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
}
