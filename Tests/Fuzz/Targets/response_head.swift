import HankoCore

/// The head of an answer, line by line as libcurl hands it over.
@_cdecl("LLVMFuzzerTestOneInput")
public func readHead(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    var head = ResponseHead()
    var model = ResponseHeadModel()
    for line in lines(of: bytes) {
        let progress = withExactCopy(line) { head.receive($0) }
        model.receive(line)
        switch progress {
        case .incomplete: require(!head.isTooLarge, "a head that is too large goes on")
        case .complete: require(head.isComplete && !head.isTooLarge, "complete, but not by its own word")
        case .tooLarge: require(head.isTooLarge, "too large, but not by its own word")
        }
        require(head.hasBegun, "a line was not counted")
        require(head.status >= 0 && head.status <= 999 && head.status == model.status, "the status")
        require(head.isComplete == model.isComplete, "the end of the head")
        require(head.isTooLarge == model.isTooLarge, "the length of the head")
        require(head.contentLengthsDiffer == model.contentLengthsDiffer, "differing lengths")
        require(head.isChunked == model.isChunked, "the coding")
        require((head.date ?? 0) >= 0, "a date before 1970")
    }
    return 0
}

/// Each line with its end; the last may have none.
private func lines(of bytes: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0A) {
        lines.append(Array(rest[...end]))
        rest = rest[(end + 1)...]
    }
    return rest.isEmpty ? lines : lines + [Array(rest)]
}
