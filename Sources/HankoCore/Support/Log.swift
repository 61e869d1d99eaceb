import CSystem

/// Writes log lines to standard error: our own words and numbers, never a token, never bytes that a server sent.
package final class Log: @unchecked Sendable {
    private let lock = Lock()
    private var limiter = LogLimiter()

    package init() {}

    /// Writes one line, unless the threshold or the limit of one a second for each status and HTTP code forbids it.
    ///
    /// - Parameters:
    ///   - level: how important the line is.
    ///   - threshold: the configured level.
    ///   - status: what the line is about.
    ///   - code: the HTTP code, 0 when there was no answer.
    ///   - text: our own words.
    package func write(_ level: LogLevel, threshold: LogLevel, status: Status, code: Int32, _ text: String) {
        guard level <= threshold, level != .off else { return }
        lock.lock()
        let admitted = limiter.admit(status: status.rawValue, code: code, now: Clock.monotonicNanoseconds())
        lock.unlock()
        guard let suppressed = admitted else { return }
        var line: [UInt8] = []
        append(ByteView("libhanko: "), to: &line)
        append(ByteView(level.name), to: &line)
        append(ByteView(": "), to: &line)
        append(ByteView(status.name), to: &line)
        append(ByteView(": "), to: &line)
        for byte in text.utf8 { line.append(byte < ASCII.space || byte == 0x7F ? ASCII.questionMark : byte) }
        if suppressed > 0 {
            for byte in " (\(suppressed) more like this were not logged)".utf8 { line.append(byte) }
        }
        line.append(ASCII.lineFeed)
        // One write, so that lines of several threads do not mix. Nobody can be told when it fails.
        line.withUnsafeBytes { bytes in _ = CSystem.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }

    private func append(_ bytes: ByteView, to line: inout [UInt8]) {
        var position = 0
        while position < bytes.count {
            line.append(bytes[position])
            position &+= 1
        }
    }
}
