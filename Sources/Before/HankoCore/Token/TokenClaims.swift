/// What the payload of a JWS says, as values of a fixed size: they can be kept while the token is asked about.
package struct TokenClaims {
    package enum Subject: Equatable {
        case absent
        case uuid(UUIDValue)
        /// Something that no Hanko writes.
        case other
    }

    package enum Expiration: Equatable {
        case absent
        /// Since 1970.
        case seconds(Int64)
        case unreadable
    }

    /// Only Hanko's session tokens have one (from Hanko 1.3 on), its webhook tokens do not.
    package let sessionID: UUIDValue?
    package let subject: Subject
    package let expiration: Expiration
    /// Seconds since 1970.
    package let issuedAt: Int64?

    init(_ fields: ClaimFields) {
        sessionID = fields.sessionID.uuid
        if fields.subject.isAbsent {
            subject = .absent
        } else {
            subject = fields.subject.uuid.map { .uuid($0) } ?? .other
        }
        switch fields.expiration {
        case .absent: expiration = .absent
        case .number(let number): expiration = Timestamp.numericDate(number).map { .seconds($0) } ?? .unreadable
        default: expiration = .unreadable
        }
        if case .number(let number) = fields.issuedAt {
            issuedAt = Timestamp.numericDate(number)
        } else {
            issuedAt = nil
        }
    }

    /// Whether it is the payload of a Hanko session, as far as one can see without a key.
    package var areOfSession: Bool { sessionID != nil }
}
