/// When a request that failed may be sent again; whether it may, `ExchangeMeaning` says.
package enum RetryPolicy {
    private static var firstPause: Int64 { 100_000_000 }
    private static var longestPause: Int64 { 2_000_000_000 }

    /// Looks at the end of an exchange.
    ///
    /// - Parameters:
    ///   - end: how it ended.
    ///   - retry: how many retries came before, from 0.
    ///   - now: seconds since 1970, to read a date in Retry-After when the server does not tell its own time.
    ///   - random: any bits.
    /// - Returns: how many nanoseconds to wait before; nil where the request must not be sent again.
    package static func pause(after end: ExchangeEnd, retry: Int64, now: Int64, random: UInt64) -> Int64? {
        switch ExchangeMeaning.of(end).retry {
        case .never: nil
        case .afterPause: backoff(retry, random)
        case .whenAsked: askedPause(in: end, now)
        case .whenAskedOrAfterPause: askedPause(in: end, now) ?? backoff(retry, random)
        }
    }

    private static func askedPause(in end: ExchangeEnd, _ now: Int64) -> Int64? {
        guard case .answer(let answer) = end, let retryAfter = answer.retryAfter else { return nil }
        let seconds = max(0, retryAfter.seconds(from: answer.date ?? now))
        return min(seconds, 1_000_000) &* 1_000_000_000
    }

    /// Doubles with each retry, and takes half to all of that at random, so that many callers do not come back at once.
    private static func backoff(_ retry: Int64, _ random: UInt64) -> Int64 {
        var pause = firstPause
        var count: Int64 = 0
        while count < retry, pause < longestPause {
            pause = pause &* 2
            count &+= 1
        }
        let half = min(pause, longestPause) / 2
        return half &+ Int64(random % UInt64(half))
    }
}
