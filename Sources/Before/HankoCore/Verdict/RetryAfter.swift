/// The field Retry-After (RFC 9110 section 10.2.3): a number of seconds, or a date.
package enum RetryAfter: Equatable {
    case delay(Int64)
    case date(Int64)

    /// How many seconds that is from a moment, given in seconds since 1970.
    func seconds(from now: Int64) -> Int64 {
        switch self {
        case .delay(let seconds): seconds
        case .date(let date): date &- now
        }
    }
}
