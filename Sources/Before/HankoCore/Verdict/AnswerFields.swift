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
    /// There is white space in it, outside of its texts.
    var claimsHoldWhiteSpace = false

    /// Reads the whole document; nil when it is JSON but not an object.
    static func read(_ body: ByteView) throws(JSONError) -> AnswerFields? {
        var fields = AnswerFields()
        var reader = JSONReader(body)
        let isObject = try reader.openObject()
        if isObject { try fields.readMembers(&reader) }
        try reader.finish()
        return isObject ? fields : nil
    }

    private mutating func readMembers(_ reader: inout JSONReader) throws(JSONError) {
        while let key = try reader.nextKey() {
            if key.equals("claims") {
                try readClaims(&reader)
                continue
            }
            let value = try reader.field()
            if key.equals("is_valid") {
                isValid = value
            } else if key.equals("user_id") {
                userID = value
            } else if key.equals("expiration_time") {
                expirationTime = value
            } else if key.equals("idle_expires_at") {
                idleExpiresAt = value
            }
        }
    }

    private mutating func readClaims(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.openObject() else { return }
        let start = reader.position &- 1
        let whiteSpaceBefore = reader.whiteSpaceCount
        try claims.readAnswer(&reader)
        claimsDocument = reader.text(from: start)
        claimsHoldWhiteSpace = reader.whiteSpaceCount != whiteSpaceBefore
    }
}
