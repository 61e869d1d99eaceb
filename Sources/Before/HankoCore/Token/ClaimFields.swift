/// The claims that the verdict looks at, under the names of Hanko's answer or of a token's payload.
struct ClaimFields {
    var subject = JSONField.absent
    var sessionID = JSONField.absent
    var audience = JSONField.absent
    var expiration = JSONField.absent
    var issuedAt = JSONField.absent
    /// The address of the primary e-mail.
    var email = JSONField.absent
    var emailIsVerified = false
    var username = JSONField.absent

    /// Reads the members of the object `claims` of an answer, which the reader has just opened, to its end.
    mutating func readAnswer(_ reader: inout JSONReader) throws(JSONError) {
        try readMembers(
            &reader, subject: "subject", audience: "audience", expiration: "expiration", issuedAt: "issued_at")
    }

    /// Reads the payload of a token (RFC 7519 section 4.1), the whole document; nil when it is JSON but not an object.
    static func readPayload(_ document: ByteView) throws(JSONError) -> ClaimFields? {
        var fields = ClaimFields()
        var reader = JSONReader(document)
        let isObject = try reader.openObject()
        if isObject {
            try fields.readMembers(&reader, subject: "sub", audience: "aud", expiration: "exp", issuedAt: "iat")
        }
        try reader.finish()
        return isObject ? fields : nil
    }

    /// Inlined, so that the compiler knows the names and compares each with a few instructions.
    @inline(__always)
    private mutating func readMembers(
        _ reader: inout JSONReader, subject: StaticString, audience: StaticString, expiration: StaticString,
        issuedAt: StaticString
    ) throws(JSONError) {
        while let key = try reader.nextKey() {
            if key.equals("email") {
                try readEmail(&reader)
                continue
            }
            let value = try reader.field()
            if key.equals(subject) {
                self.subject = value
            } else if key.equals("session_id") {
                sessionID = value
            } else if key.equals(audience) {
                self.audience = value
            } else if key.equals(expiration) {
                self.expiration = value
            } else if key.equals(issuedAt) {
                self.issuedAt = value
            } else if key.equals("username") {
                username = value
            }
        }
    }

    private mutating func readEmail(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.openObject() else { return }
        while let key = try reader.nextKey() {
            let value = try reader.field()
            if key.equals("address") {
                email = value
            } else if key.equals("is_verified"), case .boolean(let isVerified) = value {
                emailIsVerified = isVerified
            }
        }
    }
}
