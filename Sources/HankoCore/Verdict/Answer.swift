/// An answer as far as it was received. The status is known whenever there is an answer; the body is there only for the
/// statuses whose meaning depends on it.
package struct Answer {
    package var status = 0
    package var body = ByteView.empty
    /// The head, interim answers included, was longer than the limit and was cut off.
    package var headTooLarge = false
    /// The body was longer than the limit and was cut off.
    package var bodyTooLarge = false
    /// The `Content-Length` is not one number, or stands beside a `Transfer-Encoding`: whose answer it is cannot be known
    /// (RFC 9112 section 6.3).
    package var hasBrokenLength = false
    /// The body is encoded (`Content-Encoding`), although `identity` was asked for.
    package var isEncoded = false
    /// It began before the request had been sent whole, so that it may be another request's: never a yes or a no.
    package var isEarly = false
    /// The server's time from the `Date` field, in seconds since 1970.
    package var date: Int64?
    package var retryAfter: RetryAfter?
    /// The field `Age`: for how many seconds a cache has had the answer (RFC 9111 section 5.1).
    package var age: Int64?

    package init() {}

    /// Whether what is said of its body can be believed.
    var bodyIsWhole: Bool { !headTooLarge && !bodyTooLarge && !hasBrokenLength && !isEncoded }
}
