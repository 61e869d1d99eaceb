/// The first line of an answer (RFC 9112 section 4): `HTTP/1.`, a digit, a blank, three digits, and a blank with a
/// reason behind it. The reason is ignored. Where it is missing, the blank may be missing as well: servers leave out
/// both.
struct ResponseStatusLine {
    /// Of the version 1.x.
    let minorVersion: UInt8
    let status: Int

    /// The line before there is one.
    init() {
        minorVersion = 0
        status = 0
    }

    /// Whether another answer follows; 101 is the end of HTTP on its connection.
    var isInterim: Bool { status < 200 && status != 101 }

    /// Reads the line without its end; nil when it is none.
    @inline(__always)
    init?(_ line: ByteView) {
        guard line.hasPrefix(ByteView("HTTP/1.")), line[8] == ASCII.space,
            let minor = ASCII.digit(line[7]), let hundreds = ASCII.digit(line[9]), let tens = ASCII.digit(line[10]),
            let ones = ASCII.digit(line[11]),
            // There is no class below 1.
            hundreds > 0, line.count == 12 || line[12] == ASCII.space
        else { return nil }
        minorVersion = UInt8(truncatingIfNeeded: minor)
        status = Int(hundreds &* 100 &+ tens &* 10 &+ ones)
    }

    /// Whether bytes may be the beginning of such a line. Who speaks something else may never end the line.
    @inline(__always)
    static func mayBegin(with bytes: ByteView) -> Bool {
        let start = ByteView("HTTP/1.")
        return bytes.count >= start.count ? bytes.hasPrefix(start) : start.hasPrefix(bytes)
    }
}
