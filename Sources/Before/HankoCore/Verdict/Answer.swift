/// An answer as far as it was received. The status is known whenever there is an answer; the body is there only for the
/// statuses whose meaning depends on it.
package struct Answer {
    package var status = 0
    package var body = ByteView.empty
    /// The head, interim answers included, was longer than the limit and was cut off.
    package var headTooLarge = false
    /// The body was longer than the limit and was cut off.
    package var bodyTooLarge = false
    /// Two `Content-Length` fields differed: whose answer it is cannot be known (RFC 9112 section 6.3).
    package var contentLengthsDiffer = false
    /// The server's time from the `Date` field, in seconds since 1970.
    package var date: Int64?
    package var retryAfter: RetryAfter?
    /// The field `Age`: for how many seconds a cache has had the answer (RFC 9111 section 5.1).
    package var age: Int64?

    package init() {}

    /// The server, or something on the way to it, could not answer this time, whatever was asked.
    package var saysServerFailed: Bool {
        switch status {
        case 408, 425, 429, 500...599: true
        default: false
        }
    }
}
