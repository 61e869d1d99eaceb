import HankoCore

/// The table of verdicts once more, row by row, on values instead of bytes: what the library is compared with.
struct VerdictModel {
    private let input: VerdictInput
    private let answer: JSONValue?
    private let token: TokenModel
    private let payload: JSONValue?

    init(_ input: VerdictInput) {
        self.input = input
        answer = JSONModel.parse(input.body)
        token = TokenModel(input.token)
        payload = token.payload
    }

    var status: Status {
        if case .refused(let reason) = token { return reason.status }
        if input.has("f") { return .unavailable }
        if input.has("h") { return .protocolError }
        switch input.status {
        case 200 where isEarly: return .unavailable
        case 200: return isDamaged ? .protocolError : statusOfBody
        case 400 where !isDamaged && !isEarly && blamesClaims: return .invalidToken
        case 413 where (token.text?.count ?? 0) > 16_384 && !isEarly: return .invalidToken
        case 431 where (token.text?.count ?? 0) > 16_384 && !isEarly: return .invalidToken
        case 408, 425, 429: return .unavailable
        case 500..<600: return .unavailable
        case 300..<500: return .misconfigured
        default: return .protocolError
        }
    }

    private var isEarly: Bool { input.has("a") }

    private var isDamaged: Bool { input.has("b") || input.has("c") || input.has("e") }

    private var blamesClaims: Bool {
        guard let answer, answer["code"] == .number(Array("400".utf8)) else { return false }
        return answer["message"]?.text?.units.starts(with: "failed to parse token claims".utf16) ?? false
    }

    private var statusOfBody: Status {
        guard let answer, answer.isObject, case .boolean(let isValid) = answer["is_valid"] else {
            return .protocolError
        }
        if !isValid { return .invalidToken }
        let claims = answer["claims"]
        let session = Self.uuid(payload?["session_id"]) == nil ? nil : payload

        if let session {
            if let sent = claims?["session_id"], Self.uuid(sent) != Self.uuid(session["session_id"]) {
                return .protocolError
            }
            if let sent = answer["user_id"], let own = session["sub"], !Self.isSame(sent, own) { return .protocolError }
            if let sent = answer["expiration_time"], let own = session["exp"], Self.time(sent) != Self.number(own) {
                return .protocolError
            }
        } else if let mine = Self.uuid(payload?["sub"]), let theirs = Self.uuid(answer["user_id"]), mine != theirs {
            return .protocolError
        }

        let user = answer["user_id"] ?? session?["sub"] ?? claims?["subject"]
        if let user {
            guard let text = user.text, !text.units.isEmpty, Self.isWhole(user) else { return .protocolError }
            if text == JSONText("00000000-0000-0000-0000-000000000000") { return .protocolError }
        }
        for text in [claims?["session_id"], claims?["username"], claims?["email"]?["address"]] where !Self.isWhole(text)
        {
            return .protocolError
        }

        switch Self.expiry(answer, session, claims) {
        case .none: break
        case .some(.none): return .protocolError
        case .some(.some(let seconds)):
            if input.now - seconds > 60 { return clockIsOff ? .misconfigured : .protocolError }
        }

        return input.audiences.isEmpty || matches(session?["aud"]) ? .ok : .invalidToken
    }

    /// The expiry that counts: nil when none was sent, `.some(nil)` when it cannot be read.
    private static func expiry(_ answer: JSONValue, _ session: JSONValue?, _ claims: JSONValue?) -> Int64?? {
        if let sent = answer["expiration_time"] { return .some(time(sent)) }
        if let sent = session?["exp"] { return .some(number(sent)) }
        if let sent = claims?["expiration"] { return .some(time(sent)) }
        return nil
    }

    private var clockIsOff: Bool {
        guard let date = input.serverDate else { return false }
        return abs(input.now - date) > 60
    }

    private func matches(_ audience: JSONValue?) -> Bool {
        var texts: [JSONText] = []
        switch audience {
        case .text(let text): texts = [text]
        case .array(let elements): texts = elements.compactMap(\.text)
        default: break
        }
        return texts.contains { input.audiences.contains($0.bytes) }
    }

    /// Two UUIDs by their value, other texts by their bytes, nothing else.
    private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let uuid = uuid(right) { return uuid == Self.uuid(left) }
        guard let left = left.text, let right = right.text else { return false }
        return left == right
    }

    /// A UUID in lower case.
    private static func uuid(_ value: JSONValue?) -> String? {
        guard let text = value?.text?.string, text.utf8.count == 36, text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return nil
        }
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12], groups.joined().allSatisfy(\.isHexDigit) else { return nil }
        return text.lowercased()
    }

    /// Whether a C program would see all of a text; values of other types are not shown.
    private static func isWhole(_ value: JSONValue?) -> Bool {
        guard let text = value?.text else { return true }
        return !text.hasLoneSurrogate && !text.units.contains(0)
    }

    private static func time(_ value: JSONValue) -> Int64? {
        value.text.flatMap { TimeModel.rfc3339($0.bytes) }
    }

    private static func number(_ value: JSONValue) -> Int64? {
        guard case .number(let digits) = value else { return nil }
        return TimeModel.numericDate(digits)
    }
}
