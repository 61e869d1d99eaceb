/// What the start-up test makes of its two answers: the one about a token that cannot be valid, and the key set. Pure.
package enum StartupCheck {
    /// The token that no Hanko accepts.
    package static var token: SessionToken { SessionToken(plain: "libhanko-check") }

    /// Looks at the end of the first half. It is never a "no": nobody has shown this token.
    ///
    /// - Parameters:
    ///   - reason: what was said about the token.
    ///   - clockOffset: by how many seconds the two clocks differ, where that is too much.
    /// - Returns: how the test ends; nil when the key set is to be asked for.
    package static func end(after reason: VerdictReason, clockOffset: Int64?) -> VerdictReason? {
        switch reason {
        case .rejected: clockOffset.map { .clockOff(seconds: $0) }
        case .accepted, .expired, .userUnusable, .textUnusable, .expiryUnreadable, .audienceMismatch, .audienceUnknown:
            .acceptsAnything
        case .claimsUnreadable: .wrongAddress(400)
        case .tokenRefusedForLength(let code): .wrongAddress(code)
        default: reason
        }
    }

    /// Looks at the end of the second half. Only who confirms rejections depends on the key set, and also
    /// there one that is hidden lets the library work, without confirmations.
    package static func end(after keySet: ConfirmationResult, confirmsRejections: Bool) -> VerdictReason {
        switch keySet {
        case .stands, .hidden: .accepted
        case .cached where !confirmsRejections, .notShown where !confirmsRejections: .accepted
        case .outage(let code): .notConfirmed(code)
        case .cached: .keySetCached
        case .notShown(let code): .keySetNotShown(code)
        }
    }
}
