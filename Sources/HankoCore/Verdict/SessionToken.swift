/// What can be said of a token without asking Hanko. Nothing about its shape: that is for Hanko to judge.
package enum SessionToken {
    package static var maximumLength: Int { 262_144 }

    package static func isTooLong(_ token: ByteView) -> Bool { token.count > maximumLength }

    /// Looks at a token before it is sent.
    ///
    /// - Returns: nil when Hanko must be asked; otherwise why it need not be.
    package static func refusal(of token: ByteView) -> VerdictReason? {
        if token.isEmpty { return .noToken }
        if isTooLong(token) { return .tokenTooLong }
        if token.contains(0) { return .tokenHoldsNUL }
        if !UTF8Text.isValid(token) { return .tokenNotUTF8 }
        return nil
    }
}
