/// Why an answer could not be read, or not in the way that it was sent.
package enum ResponseFault: Error, Equatable {
    /// The connection ended without a byte of an answer.
    case emptyReply
    /// The connection ended within the head.
    case connectionLost
    /// The connection ended within the body.
    case bodyCutShort
    /// What came does not keep to the grammar of a status line, of a field or of chunks, or interim answers (1xx) came
    /// without end.
    case notHTTP
    /// Heads, chunk extensions and trailers were longer than the limit together.
    case headTooLarge
    /// The body is longer than the limit.
    case bodyTooLarge
    /// The `Content-Length` is not one number: something else, several, too large for any body, or beside a
    /// `Transfer-Encoding`.
    case brokenContentLength
    /// The `Transfer-Encoding` is not exactly `chunked`, or stands in an answer of HTTP/1.0, which has none.
    case brokenTransferEncoding
    /// The body is encoded (`Content-Encoding`), although `identity` was asked for.
    case encodedBody
    /// There was no memory.
    case localShortage

    /// What the fault is where there was no answer; nil where an `Answer` says it.
    package var failure: TransportFailure? {
        switch self {
        case .emptyReply: .emptyReply
        case .connectionLost: .connectionLost
        case .bodyCutShort: .bodyCutShort
        case .notHTTP, .brokenTransferEncoding: .notHTTP
        case .localShortage: .localShortage
        case .headTooLarge, .bodyTooLarge, .brokenContentLength, .encodedBody: nil
        }
    }
}
