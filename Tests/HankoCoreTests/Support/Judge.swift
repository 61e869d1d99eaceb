import HankoCore

/// Asks the verdict about made-up answers and tokens.
enum Judge {
    /// 2026-11-22T13:00:34Z.
    static let now: Int64 = 1_795_352_434

    /// Judges an answer of status 200 unless told otherwise; a token that nobody would be asked about is refused.
    static func reason(
        _ body: [UInt8], status: Int = 200, token: [UInt8] = Array("test-token".utf8), audiences: [String] = [],
        now: Int64 = now, date: Int64? = nil, change: (inout Answer) -> Void = { _ in }
    ) -> VerdictReason {
        withBytes(body) { body in
            withBytes(token) { token in
                var answer = Answer()
                answer.status = status
                answer.body = body
                answer.date = date
                change(&answer)
                do throws(TokenRefusal) {
                    return Verdict.judge(
                        .answer(answer), token: try SessionToken(token), audiences: audiences.map { Array($0.utf8) },
                        now: now, wantsSession: false
                    ).reason
                } catch {
                    return VerdictReason(error)
                }
            }
        }
    }

    static func reason(
        _ body: String, status: Int = 200, token: [UInt8] = Array("test-token".utf8), audiences: [String] = [],
        now: Int64 = now, date: Int64? = nil, change: (inout Answer) -> Void = { _ in }
    ) -> VerdictReason {
        reason(
            Array(body.utf8), status: status, token: token, audiences: audiences, now: now, date: date, change: change)
    }

    /// A compact token with this payload; its signature is of no matter to the verdict.
    static func token(payload: [UInt8]) -> [UInt8] {
        Array("eyJhbGciOiJSUzI1NiJ9.".utf8) + base64URL(payload) + Array(".c2lnbmF0dXJl".utf8)
    }

    static func token(payload: String) -> [UInt8] { token(payload: Array(payload.utf8)) }

    /// RFC 4648 section 5 without padding, by the book: three bytes are four letters.
    static func base64URL(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var letters: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let padded = Array(group) + [UInt8](repeating: 0, count: 3 - group.count)
            let value = Int(padded[0]) << 16 | Int(padded[1]) << 8 | Int(padded[2])
            for letter in 0...group.count { letters.append(alphabet[value >> (18 - 6 * letter) & 0x3F]) }
        }
        return letters
    }

    static let user = "44d51f8d-3265-453e-b69c-4cadef7f58be"
    static let otherUser = "0f0e0d0c-0b0a-4908-8706-050403020100"
    static let session = "c2d7e58a-dd00-426a-9037-4973bd31626e"
    static let otherSession = "11111111-2222-4333-8444-555555555555"
    static let nilUUID = "00000000-0000-0000-0000-000000000000"

    /// What a real Hanko answers to a live session.
    static let validAnswer = """
        {"is_valid":true,"claims":{"audience":["localhost"],"email":{"address":"ada@example.com","is_primary":true,\
        "is_verified":true},"expiration":"2026-11-23T01:00:34Z","issued_at":"2026-11-22T13:00:34Z",\
        "session_id":"\(session)","subject":"\(user)"},"expiration_time":"2026-11-23T01:00:34Z","user_id":"\(user)"}

        """

    /// What a real Hanko puts into the token of that session.
    static let validPayload = """
        {"aud":["localhost"],"email":{"address":"ada@example.com","is_primary":true,"is_verified":true},\
        "exp":1795395634,"iat":1795352434,"session_id":"\(session)","sub":"\(user)"}
        """
}
