/// A verdict with what comes with a yes.
package struct Judgement {
    package let reason: VerdictReason
    /// Only with `.accepted`, and only where it was asked for.
    package let session: Session?

    init(_ reason: VerdictReason, session: Session? = nil) {
        self.reason = reason
        self.session = session
    }
}
