/// Reads answers of HTTP/1.1 with the library's reader and says what it found in them.
///
/// Each frame is one connection: a byte that is 1 where the connection ends behind the others, and the bytes that came on
/// it. Each reply has a letter for how the reading ended, `Progress` or `ResponseFault`; two bytes of the status; one that
/// is 1 where the connection may be kept, plus 2 where bytes follow the answer; and the body.
///
/// It is built as the release library is, as Embedded Swift: what ships is what is compared.
@main
struct ResponseProgram {
    static func main() {
        while let frame = Frames.next() {
            Frames.reply(frame.withView { reply(to: $0) })
        }
    }

    private static func reply(to frame: ByteView) -> [UInt8] {
        var reader = ResponseReader(expecting: RequestID(high: 0, low: 0))
        _ = reader.receive(frame.slice(from: 1))
        if frame[0] == 1 { _ = reader.end() }
        let status = reader.status
        let flags: UInt8 = (reader.mayKeep ? 1 : 0) | (reader.hasSurplus ? 2 : 0)
        let head = [
            letter(reader.progress), UInt8(truncatingIfNeeded: status), UInt8(truncatingIfNeeded: status >> 8), flags,
        ]
        return reader.withAnswer { head + $0.body.bytes() }
    }

    private static func letter(_ progress: ResponseReader.Progress) -> UInt8 {
        switch progress {
        case .more: 0x6D  // m
        case .answered: 0x61  // a
        case .complete: 0x63  // c
        case .failed(let fault): letter(fault)
        }
    }

    private static func letter(_ fault: ResponseFault) -> UInt8 {
        switch fault {
        case .emptyReply: 0x45  // E
        case .connectionLost: 0x43  // C
        case .bodyCutShort: 0x53  // S
        case .notHTTP: 0x4E  // N
        case .headTooLarge: 0x48  // H
        case .bodyTooLarge: 0x42  // B
        case .brokenContentLength: 0x4C  // L
        case .brokenTransferEncoding: 0x54  // T
        case .encodedBody: 0x5A  // Z
        case .localShortage: 0x4D  // M
        }
    }
}
