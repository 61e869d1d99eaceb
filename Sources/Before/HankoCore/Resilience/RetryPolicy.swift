/// Whether and when a request that failed may be sent again: only where Hanko cannot have answered it.
package enum RetryPolicy {
    package enum Advice: Equatable {
        case no
        case after(nanoseconds: Int64)
    }

    private static var firstPause: Int64 { 100_000_000 }
    private static var longestPause: Int64 { 2_000_000_000 }

    /// Looks at the end of an exchange.
    ///
    /// - Parameters:
    ///   - end: how it ended.
    ///   - answerBegan: at least one line of an answer arrived.
    ///   - retry: how many retries came before, from 0.
    ///   - now: seconds since 1970, to read a date in Retry-After when the server does not tell its own time.
    ///   - random: any bits.
    package static func advice(
        after end: ExchangeEnd, answerBegan: Bool, retry: Int64, now: Int64, random: UInt64
    ) -> Advice {
        switch end {
        case .failure(.connect):
            return .after(nanoseconds: backoff(retry, random))
        case .failure(.connectionLost), .failure(.emptyReply):
            return answerBegan ? .no : .after(nanoseconds: backoff(retry, random))
        case .failure:
            return .no
        case .answer(let answer):
            switch answer.status {
            case 429, 502, 503, 504:
                if let retryAfter = answer.retryAfter {
                    let seconds = max(0, retryAfter.seconds(from: answer.date ?? now))
                    return .after(nanoseconds: min(seconds, 1_000_000) &* 1_000_000_000)
                }
                return answer.status == 429 ? .no : .after(nanoseconds: backoff(retry, random))
            default:
                return .no
            }
        }
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
