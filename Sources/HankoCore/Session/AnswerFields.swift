/// The members of Hanko's answer to `POST /sessions/validate` that the verdict looks at. Unknown members are checked as
/// JSON and otherwise ignored.
///
/// Source: Hanko's ValidateSessionResponse; `claims` is there from Hanko 1.4 on, the deprecated `user_id` and
/// `expiration_time` may go one day.
struct AnswerFields {
    var isValid = JSONField.absent
    var userID = JSONField.absent
    var expirationTime = JSONField.absent
    var claims = ClaimFields()

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
            } else if key.equals("claims") {
                if case .container(let claims) = try JSONField.read(from: &reader) {
                    fields.claims = try .readAnswer(claims)
                }
            } else {
                _ = try JSONField.read(from: &reader)
            }
        }
        return isObject ? fields : nil
    }
}
