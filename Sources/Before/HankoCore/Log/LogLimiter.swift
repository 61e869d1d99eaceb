/// Lets at most one log line a second pass for each pair of status and HTTP code, so that an outage does not fill a disk.
///
/// A value without a clock: the caller says what time it is.
package struct LogLimiter {
    private struct Entry {
        var key: Int64
        var second: Int64
        var suppressed: Int64
    }

    /// More pairs than this are not told apart for long: the one that was quiet longest is forgotten.
    private static var capacity: Int { 64 }

    private var entries: [Entry] = []

    package init() {}

    /// Whether a line may be written now.
    ///
    /// - Parameters:
    ///   - status: the status that the line tells.
    ///   - code: the HTTP code, 0 when there was no answer.
    ///   - now: nanoseconds on the monotonic clock.
    /// - Returns: nil when the line must not be written; otherwise how many such lines were left out since the last one.
    package mutating func admit(status: Int32, code: Int32, now: Int64) -> Int64? {
        let key = Int64(status) << 32 | Int64(UInt32(bitPattern: code))
        var oldest = 0
        var index = 0
        while index < entries.count {
            if entries[index].key == key {
                guard now &- entries[index].second >= 1_000_000_000 else {
                    entries[index].suppressed &+= 1
                    return nil
                }
                let suppressed = entries[index].suppressed
                entries[index] = Entry(key: key, second: now, suppressed: 0)
                return suppressed
            }
            if entries[index].second < entries[oldest].second { oldest = index }
            index &+= 1
        }
        let entry = Entry(key: key, second: now, suppressed: 0)
        if entries.count < Self.capacity {
            entries.append(entry)
        } else {
            entries[oldest] = entry
        }
        return 0
    }
}
