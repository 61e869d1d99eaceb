/// The members of Hanko's answer to `POST /sessions/validate` that the verdict looks at. Unknown members are checked as
/// JSON and otherwise ignored.
///
/// Source: Hanko's ValidateSessionResponse; `claims` is there from Hanko 1.4 on, the deprecated `user_id` and
/// `expiration_time` may go one day.
struct AnswerFields {
    var isValid = JSONField.absent
    var userID = JSONField.absent
    var expirationTime = JSONField.absent
    var idleExpiresAt = JSONField.absent
    var claims = ClaimFields()
    /// The object `claims` as it was sent; nil when there is none.
    var claimsDocument: ByteView?

    /// Reads the whole document; nil when it is JSON but not an object.
    static func read(_ body: ByteView) throws(JSONError) -> AnswerFields? {
        var fields = AnswerFields()
        let isObject = try JSONObject.read(body) { (key, reader) throws(JSONError) in
            if key.equals("is_valid") {
                fields.isValid = try .read(from: &reader)
            } else if key.equals("user_id") {
                fields.userID = try .read(from: &reader)
            } else if key.equals("expiration_time") {
                fields.expirationTime = try .read(from: &reader)
            } else if key.equals("idle_expires_at") {
                fields.idleExpiresAt = try .read(from: &reader)
            } else if key.equals("claims") {
                if case .container(let claims) = try JSONField.read(from: &reader), claims[0] == 0x7B {
                    fields.claims = try .readAnswer(claims)
                    fields.claimsDocument = claims
                }
            } else {
                _ = try JSONField.read(from: &reader)
            }
        }
        return isObject ? fields : nil
    }
}
