/// What Hanko said about a token, at the moment it was asked. What it says never changes; its texts are C strings that
/// live as long as it does.
package final class Session: @unchecked Sendable {
    private let texts: SessionTexts
    package let emailIsVerified: Bool
    /// Seconds since 1970; 0: not sent. So for all times.
    package let issuedAt: Int64
    package let expiresAt: Int64
    package let idleExpiresAt: Int64

    /// Who takes it back when its owner is done with it; nil: nobody. Set before anybody else sees the session.
    var origin: (any SessionOrigin)?
    /// Of who took it back: the next one in its list.
    unowned(unsafe) var nextReturned: Session?

    package var userID: UnsafePointer<CChar>? { texts.userID }
    package var sessionID: UnsafePointer<CChar>? { texts.sessionID }
    package var email: UnsafePointer<CChar>? { texts.email }
    package var username: UnsafePointer<CChar>? { texts.username }
    /// Every claim as Hanko sent it, without white space between its parts.
    package var claimsJSON: UnsafePointer<CChar>? { texts.claims }

    /// - Returns: nil when there is no memory.
    static func make(_ facts: SessionFacts) -> Session? {
        guard let memory = TextMemory(capacity: SessionTexts.capacity(for: facts)) else { return nil }
        let texts = SessionTexts(facts, in: memory)
        return texts.areComplete ? Session(facts, texts) : nil
    }

    private init(_ facts: SessionFacts, _ texts: consuming SessionTexts) {
        self.texts = texts
        emailIsVerified = facts.emailIsVerified
        issuedAt = facts.issuedAt
        expiresAt = facts.expiresAt
        idleExpiresAt = facts.idleExpiresAt
    }

    /// The value of one claim of the top level, as JSON; nil when there is none of that name.
    package func claimJSON(named name: ByteView) -> UnsafePointer<CChar>? { texts.claim(named: name) }

    /// Ends a reference that is held by hand, as the owner of a C handle does. The session must not be used afterwards.
    package func giveBack() {
        let reference = Unmanaged.passUnretained(self)
        // With a reference of our own to the origin: it may free the session at once, and so the last other one.
        if let origin, origin.takeBack(self) { return }
        reference.release()
    }
}
