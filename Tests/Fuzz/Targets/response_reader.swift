import HankoCore

/// An answer from the bytes of a connection: the first byte says in which pieces the others arrive and whether the
/// connection ends behind them. The pieces must not matter, and the model must read the same.
///
/// More than ten million inputs found nothing: five million and more from the committed corpus with each of the seeds
/// 20261130 and 20261131.
///
///     ASAN_OPTIONS=malloc_context_size=0:detect_leaks=0:quarantine_size_mb=8 SWIFT_BACKTRACE=enable=no \
///         .build/fuzz/bin/response_reader -runs=5000000 -seed=<seed> -max_len=256 -timeout=10 -rss_limit_mb=2048 \
///         -dict=Tests/Fuzz/dictionaries/response_reader.dict <an empty folder> Tests/Fuzz/corpus/response_reader
@_cdecl("LLVMFuzzerTestOneInput")
public func readResponse(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    guard let pattern = bytes.first else { return 0 }
    let stream = Array(bytes.dropFirst())
    let hasEnded = pattern & 1 == 1
    let whole = Seen(stream, hasEnded) { _ in stream.count }
    require(Seen(stream, hasEnded) { _ in 1 } == whole, "byte by byte it is something else")
    require(
        Seen(stream, hasEnded) { 1 + (Int(pattern) >> ($0 % 5)) % 37 } == whole, "in pieces it is something else")
    require(whole.asModel == ResponseModel(stream, hasEnded: hasEnded), "the library and the model read something else")
    return 0
}

/// All that can be seen of a reader in the end.
private struct Seen: Equatable {
    private static let id = RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    nonisolated(unsafe) private static let block = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

    private let progress: ResponseReader.Progress
    private let status: Int
    private let body: [UInt8]
    private let echo: RequestIDEcho
    private let date: Int64?
    private let age: Int64?
    private let retryAfter: RetryAfter?
    private let mayKeep: Bool
    private let hasSurplus: Bool

    init(_ stream: [UInt8], _ hasEnded: Bool, length: (Int) -> Int) {
        var reader = ResponseReader(expecting: Self.id)
        var position = 0
        var piece = 0
        while position < stream.count {
            let end = min(stream.count, position + max(1, length(piece)))
            let progress =
                end == position + 1
                ? Self.withByte(stream[position]) { reader.receive($0) }
                : withExactCopy(Array(stream[position..<end])) { reader.receive($0) }
            require(progress == reader.progress, "what is told is not what is so")
            position = end
            piece += 1
        }
        if hasEnded { require(reader.end() != .more && reader.progress != .answered, "the end is no end") }
        progress = reader.progress
        status = reader.status
        echo = reader.echo
        mayKeep = reader.mayKeep
        hasSurplus = reader.hasSurplus
        (body, date, age, retryAfter) = reader.withAnswer { ($0.body.bytes(), $0.date, $0.age, $0.retryAfter) }
        require(!mayKeep || progress == .complete && !hasSurplus && !hasEnded, "a connection is kept that must not be")
        require(body.isEmpty || progress == .complete && (status == 200 || status == 400), "a body without an answer")
        require(body.count <= 262_144, "a body that is too long")
        require(reader.hasBegun == !stream.isEmpty, "whether there was anything")
        require((date ?? 0) >= 0 && (age ?? 0) >= 0, "a number below zero")
    }

    /// Gives one byte to a function, in the same block of this size each time: most of the pieces are that small.
    private static func withByte<Result>(_ byte: UInt8, _ body: (ByteView) -> Result) -> Result {
        block.pointee = byte
        return body(ByteView(block, count: 1))
    }

    var asModel: ResponseModel {
        let end: ResponseModel.End
        switch progress {
        case .more: end = .endsEarly
        case .answered, .complete: end = .answer(mayKeep: mayKeep)
        case .failed(.emptyReply), .failed(.connectionLost), .failed(.bodyCutShort): end = .endsEarly
        case .failed: end = .refused
        }
        return ResponseModel(end: end, status: status, body: body, hasSurplus: hasSurplus)
    }
}
