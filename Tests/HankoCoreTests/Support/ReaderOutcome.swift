import HankoCore

/// All that can be seen of a reader after bytes have arrived. The reader itself cannot be copied, and so cannot stand
/// in an expectation.
struct ReaderOutcome: Equatable {
    /// What the tests send with their requests.
    static let id = RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    var progress = ResponseReader.Progress.more
    var status = 0
    var body: [UInt8] = []
    var echo = RequestIDEcho.none
    var date: Int64?
    var retryAfter: RetryAfter?
    var age: Int64?
    var mayKeep = false
    var hasSurplus = false
    var hasBegun = false

    init(_ reader: borrowing ResponseReader) {
        progress = reader.progress
        status = reader.status
        echo = reader.echo
        mayKeep = reader.mayKeep
        hasSurplus = reader.hasSurplus
        hasBegun = reader.hasBegun
        let (body, date, retryAfter, age) = reader.withAnswer { answer in
            (answer.body.bytes(), answer.date, answer.retryAfter, answer.age)
        }
        self.body = body
        self.date = date
        self.retryAfter = retryAfter
        self.age = age
    }

    /// Reads bytes that arrive in pieces of the lengths that a function gives, and then perhaps the end of the
    /// connection.
    init(of wire: [UInt8], ended: Bool = false, cutInto length: (Int) -> Int = { _ in .max }) {
        var reader = ResponseReader(expecting: Self.id)
        Self.feed(wire, to: &reader, cutInto: length)
        if ended { _ = reader.end() }
        self.init(reader)
    }

    init(of wire: String, ended: Bool = false) { self.init(of: Array(wire.utf8), ended: ended) }

    static func feed(
        _ wire: [UInt8], to reader: inout ResponseReader, cutInto length: (Int) -> Int = { _ in .max }
    ) {
        var start = 0
        var piece = 0
        while start < wire.count {
            let end = start + min(length(piece), wire.count - start)
            _ = withBytes(Array(wire[start..<end])) { reader.receive($0) }
            start = end
            piece += 1
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}
