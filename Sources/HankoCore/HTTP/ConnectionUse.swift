/// What one exchange made of its connection.
package struct ConnectionUse {
    /// It was kept from an earlier exchange.
    package var isKept = false
    /// The answer bears the id of its request, or no earlier one on the connection did.
    package var isBound = true
    /// Of the request; nil when none was sent.
    package var requestID: RequestID?

    /// Of a connection that was never there.
    package init() {}
}
