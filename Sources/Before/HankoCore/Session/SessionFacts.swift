/// What an accepted answer and the payload of its token say about the session; refers to their bytes.
struct SessionFacts {
    var userID: JSONString?
    var sessionID: JSONString?
    var email: JSONString?
    var emailIsVerified = false
    var username: JSONString?
    var issuedAt: Int64 = 0
    var expiresAt: Int64 = 0
    var idleExpiresAt: Int64 = 0
    /// The object `claims` as it was sent.
    var claims: ByteView?
    /// There is white space in it, outside of its texts.
    var claimsHoldWhiteSpace = false

    /// Every text that C programs read must be whole there: a U+0000 would show them a shorter one.
    var fitCStrings: Bool {
        (userID?.fitsCString ?? true) && (sessionID?.fitsCString ?? true) && (email?.fitsCString ?? true)
            && (username?.fitsCString ?? true)
    }
}
