/// Whose request an answer says it is for, by its fields `X-Request-Id`.
package enum RequestIDEcho: Equatable {
    case none
    /// At least one is the number that was sent; a gateway may have added one of its own.
    case own
    /// All are others.
    case other
}
