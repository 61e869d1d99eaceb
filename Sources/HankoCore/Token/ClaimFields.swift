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

    /// Reads the object `claims` of an answer; nothing is read from a value that is not an object.
    static func readAnswer(_ document: ByteView) throws(JSONError) -> ClaimFields {
        try read(
            document, subject: "subject", audience: "audience", expiration: "expiration", issuedAt: "issued_at")
    }

    /// Reads the payload of a token (RFC 7519 section 4.1).
    static func readPayload(_ document: ByteView) throws(JSONError) -> ClaimFields {
        try read(document, subject: "sub", audience: "aud", expiration: "exp", issuedAt: "iat")
    }

    private static func read(
        _ document: ByteView, subject: StaticString, audience: StaticString, expiration: StaticString,
        issuedAt: StaticString
    ) throws(JSONError) -> ClaimFields {
        var fields = ClaimFields()
        _ = try JSONObject.read(document) { (key, reader) throws(JSONError) in
            let value = try JSONField.read(from: &reader)
            if key.equals(subject) {
                fields.subject = value
            } else if key.equals("session_id") {
                fields.sessionID = value
            } else if key.equals(audience) {
                fields.audience = value
            } else if key.equals(expiration) {
                fields.expiration = value
            } else if key.equals(issuedAt) {
                fields.issuedAt = value
            } else if key.equals("email") {
                if case .container(let email) = value { try fields.readEmail(email) }
            } else if key.equals("username") {
                fields.username = value
            }
        }
        return fields
    }

    private mutating func readEmail(_ document: ByteView) throws(JSONError) {
        var address = JSONField.absent
        var isVerified = false
        _ = try JSONObject.read(document) { (key, reader) throws(JSONError) in
            let value = try JSONField.read(from: &reader)
            if key.equals("address") {
                address = value
            } else if key.equals("is_verified"), case .boolean(let verified) = value {
                isVerified = verified
            }
        }
        email = address
        emailIsVerified = isVerified
    }
}
