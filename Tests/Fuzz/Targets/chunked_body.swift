import HankoCore

/// The framing of chunks: the first byte says in which pieces the others arrive, and that must not matter.
@_cdecl("LLVMFuzzerTestOneInput")
public func readChunks(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    guard let pattern = bytes.first else { return 0 }
    let stream = Array(bytes.dropFirst())
    let whole = feed(stream) { _ in stream.count }
    require(whole == ChunkModel.decode(stream), "the library and the model read something else")
    require(feed(stream) { _ in 1 } == whole, "byte by byte it is something else")
    require(feed(stream) { 1 + (Int(pattern) >> ($0 % 5)) % 7 } == whole, "in pieces it is something else")
    return 0
}

/// Feeds pieces until the framing is broken or there is nothing left.
private func feed(_ stream: [UInt8], length: (Int) -> Int) -> ChunkModel.Outcome {
    var body = ChunkedBody()
    var outcome = ChunkModel.Outcome()
    var position = 0
    var piece = 0
    while position < stream.count {
        let end = min(stream.count, position + max(1, length(piece)))
        let progress = withExactCopy(Array(stream[position..<end])) { bytes in
            body.feed(bytes) { content in
                require(content.lies(in: bytes) && !content.isEmpty, "content outside of what was fed")
                outcome.content += content.bytes()
                return true
            }
        }
        outcome.isMalformed = progress == .malformed
        if outcome.isMalformed { break }
        position = end
        piece += 1
    }
    outcome.isComplete = body.isComplete
    outcome.hasSurplus = body.hasSurplus
    return outcome
}
