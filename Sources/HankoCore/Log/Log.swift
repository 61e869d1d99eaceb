import CSystem

/// Writes log lines: our own words and numbers, never a token, never bytes that a server sent.
package final class Log: @unchecked Sendable {
    private let target: LogTarget
    private let threshold: LogLevel
    private let limiter: Locked<LogLimiter>

    package init(_ target: LogTarget, threshold: LogLevel, limiter: Locked<LogLimiter>) {
        self.target = target
        self.threshold = threshold
        self.limiter = limiter
    }

    /// Whether lines of a level are written at all.
    package func takes(_ level: LogLevel) -> Bool { level <= threshold && level != .off }

    /// Writes one line, unless the threshold forbids it, or on standard error the limit of one a second for each status
    /// and HTTP code. No lock is held while a function of the host runs.
    ///
    /// - Parameters:
    ///   - level: how important the line is.
    ///   - status: what the line is about.
    ///   - code: the HTTP code, 0 when there was no answer.
    ///   - isLimited: false for what somebody else keeps from being written too often.
    ///   - text: our own words.
    /// - Returns: whether it was written.
    @discardableResult
    @inline(never)  // many callers, and large
    package func write(
        _ level: LogLevel, status: Status, code: Int, isLimited: Bool = true, _ text: String
    ) -> Bool {
        guard takes(level) else { return false }
        switch target {
        case .function(let function, let context):
            var line: [UInt8] = []
            append("\(status.name): \(text)", to: &line)
            line.append(0)
            line.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { function(context, level.rawValue, $0.baseAddress) }
            }
        case .standardError:
            guard let suppressed = isLimited ? admit(status, code) : 0 else { return false }
            var line: [UInt8] = []
            append("libhanko: \(level.name): \(status.name): \(text)", to: &line)
            if suppressed > 0 { append(" (\(suppressed) more like this were not logged)", to: &line) }
            line.append(ASCII.lineFeed)
            // One write, so that lines of several threads do not mix. Nobody can be told when it fails, and a signal
            // would be the host's to bear.
            line.withUnsafeBytes { bytes in hanko_write_without_signal(STDERR_FILENO, bytes.baseAddress, bytes.count) }
        }
        return true
    }

    /// - Returns: nil when the line must not be written; otherwise how many were left out since the last one.
    private func admit(_ status: Status, _ code: Int) -> Int64? {
        let now = Clock.monotonicNanoseconds()
        return limiter.with { $0.admit(status: status.rawValue, code: Int32(truncatingIfNeeded: code), now: now) }
    }

    /// A configured audience may hold anything, but a line must stay one line.
    private func append(_ text: String, to line: inout [UInt8]) {
        for byte in text.utf8 { line.append(byte < ASCII.space || byte == 0x7F ? ASCII.questionMark : byte) }
    }
}
