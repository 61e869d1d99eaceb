/// The framing of chunks (RFC 9112 section 7.1) read from a whole stream, with the liberties that libcurl takes: what
/// follows the digits of a size is passed over, and a line may end without a carriage return.
enum ChunkModel {
    struct Outcome: Equatable {
        var content: [UInt8] = []
        var isComplete = false
        var hasSurplus = false
        var isMalformed = false
    }

    static func decode(_ stream: [UInt8]) -> Outcome {
        var outcome = Outcome()
        var rest = stream[...]
        while true {
            let digits = rest.prefix { $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }
            if digits.count > 8 || digits.isEmpty && !rest.isEmpty { outcome.isMalformed = true }
            guard !outcome.isMalformed, let lineEnd = rest.firstIndex(of: 0x0A) else { return outcome }
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
            rest = rest[(lineEnd + 1)...]
            if size == 0 { break }

            outcome.content += rest.prefix(size)
            rest = rest.dropFirst(size).drop { $0 == 0x0D }
            guard let end = rest.first else { return outcome }
            outcome.isMalformed = end != 0x0A
            if outcome.isMalformed { return outcome }
            rest = rest.dropFirst()
        }
        // The trailer ends with a line in which there is nothing.
        while let lineEnd = rest.firstIndex(of: 0x0A) {
            let isEmpty = rest[..<lineEnd].allSatisfy { $0 == 0x0D }
            rest = rest[(lineEnd + 1)...]
            guard isEmpty else { continue }
            outcome.isComplete = true
            outcome.hasSurplus = !rest.isEmpty
            break
        }
        return outcome
    }
}
