/// What the end of an exchange means for the token that was asked about: the one place where a yes is made.
///
/// A pure function of what came back, the token, the configured audiences and the time. The rules come from Hanko's API
/// and, for what a token's payload says, from RFC 7519.
package enum Verdict {
    /// A session that expired longer ago than this is refused, and a clock that is further off than this is named.
    private static var toleratedSeconds: Int64 { 60 }

    /// Servers refuse requests for their size only beyond this; a shorter token is not to blame.
    private static var ordinaryTokenLength: Int { 16_384 }

    /// Judges the end of an exchange.
    ///
    /// - Parameters:
    ///   - end: how the exchange ended.
    ///   - token: the token that was sent.
    ///   - audiences: the configured audiences; none means that the audience is not checked.
    ///   - now: seconds since 1970 on this machine's clock.
    ///   - wantsSession: whether somebody wants to know whose session it is.
    /// - Returns: `.accepted` only when Hanko answered 200 with `is_valid` true and nothing contradicts it.
    package static func judge(
        _ end: ExchangeEnd, token: ByteView, audiences: [[UInt8]], now: Int64, wantsSession: Bool
    ) -> Judgement {
        switch end {
        case .failure(let failure):
            return Judgement(.transport(failure))
        case .answer(let answer):
            if let reason = reasonForStatus(of: answer, token: token) { return Judgement(reason) }
            return judgeBody(of: answer, token: token, audiences: audiences, now: now, wantsSession: wantsSession)
        }
    }

    /// Looks at the status, before anything in the body; nil for a 200 whose body decides.
    private static func reasonForStatus(of answer: Answer, token: ByteView) -> VerdictReason? {
        if answer.headTooLarge { return .headTooLarge }
        switch answer.status {
        case 200:
            if answer.contentLengthsDiffer { return .contentLengthsDiffer }
            return answer.bodyTooLarge ? .bodyTooLarge : nil
        case 400:
            return blamesClaims(answer) ? .claimsUnreadable : .wrongAddress(400)
        case 413, 431:
            return token.count > ordinaryTokenLength
                ? .tokenRefusedForLength(answer.status) : .wrongAddress(answer.status)
        case _ where answer.saysServerFailed:
            return .serverFailed(answer.status)
        case 300...499:
            return .wrongAddress(answer.status)
        default:
            return .unexpectedStatus(answer.status)
        }
    }

    /// Whether the verdict needs the body as well; otherwise nobody waits for it.
    package static func needsBody(status: Int) -> Bool { status == 200 || status == 400 }

    // MARK: 400

    /// The only 400 that a token causes: Hanko's error shape, and a message that begins with these words.
    private static func blamesClaims(_ answer: Answer) -> Bool {
        guard !answer.bodyTooLarge, !answer.contentLengthsDiffer else { return false }
        var hasCode = false
        var hasMessage = false
        do {
            var reader = JSONReader(answer.body)
            guard try reader.openObject() else { return false }
            while let key = try reader.nextKey() {
                switch try reader.field() {
                case .number(let digits) where key.equals("code"):
                    hasCode = digits.equals("400")
                case .text(let text) where key.equals("message"):
                    hasMessage = text.hasPrefix("failed to parse token claims")
                default:
                    break
                }
            }
            try reader.finish()
            return hasCode && hasMessage
        } catch {
            return false
        }
    }

    // MARK: 200

    private static func judgeBody(
        of answer: Answer, token: ByteView, audiences: [[UInt8]], now: Int64, wantsSession: Bool
    ) -> Judgement {
        let fields: AnswerFields
        do {
            guard let object = try AnswerFields.read(answer.body) else { return Judgement(.notObject) }
            fields = object
        } catch {
            return Judgement(
                error.kind == .noMemory ? .transport(.localShortage) : .notJSON(position: error.position))
        }
        guard case .boolean(let isValid) = fields.isValid else { return Judgement(.noVerdict) }
        guard isValid else { return Judgement(.rejected) }
        let judgement = TokenPayload.withClaims(of: token) { payload in
            judgeYes(
                fields, payload: payload, audiences: audiences, now: now, serverDate: answer.date,
                wantsSession: wantsSession)
        }
        return judgement ?? Judgement(.transport(.localShortage))
    }

    /// Looks for what in the answer or the token speaks against the yes of an answer.
    ///
    /// - Parameter payload: the claims in the payload of the token, which Hanko has just verified; nil when it has none.
    private static func judgeYes(
        _ fields: AnswerFields, payload: ClaimFields?, audiences: [[UInt8]], now: Int64, serverDate: Int64?,
        wantsSession: Bool
    ) -> Judgement {
        // Whose answer: an answer that was meant for another token must not become this one's yes.
        if let payload,
            payload.sessionID.isOtherUUID(than: fields.claims.sessionID)
                || payload.subject.isOtherUUID(than: fields.userID)
        {
            return Judgement(.otherToken)
        }
        // Whose claims: custom claims can overwrite anything inside `claims`, and users may influence those. The fields
        // at the top come first, then the payload of a token that is a Hanko session's, and `claims` last.
        let session = payload?.sessionID.uuid == nil ? nil : payload
        let subject = fields.userID.ifSent ?? session?.subject.ifSent ?? fields.claims.subject
        if !subject.isAbsent, !isUsableUser(subject) { return Judgement(.userUnusable) }
        var facts = SessionFacts()
        facts.userID = subject.text
        facts.sessionID = fields.claims.sessionID.text ?? session?.sessionID.text
        facts.email = fields.claims.email.text
        facts.emailIsVerified = facts.email != nil && fields.claims.emailIsVerified
        facts.username = fields.claims.username.text
        guard facts.fitCStrings else { return Judgement(.textUnusable) }
        switch expiry(of: fields, session) {
        case .seconds(let expiry):
            if let reason = contradiction(ofExpiry: expiry, now: now, serverDate: serverDate) {
                return Judgement(reason)
            }
            facts.expiresAt = expiry
        case .unreadable:
            return Judgement(.expiryUnreadable)
        case nil:
            break
        }
        let audience = Audience.sent(in: session?.audience) ?? fields.claims.audience
        if !audiences.isEmpty {
            guard let matches = Audience.matches(audience, oneOf: audiences) else {
                return Judgement(.transport(.localShortage))
            }
            if !matches { return Judgement(.audienceMismatch) }
        }
        guard wantsSession else { return Judgement(.accepted) }
        facts.issuedAt = issuedAt(of: fields, session)
        facts.idleExpiresAt = fields.idleExpiresAt.text.flatMap { $0.withText { Timestamp.rfc3339($0) } } ?? 0
        facts.claims = fields.claimsDocument
        facts.claimsHoldWhiteSpace = fields.claimsHoldWhiteSpace
        guard let made = Session.make(facts) else { return Judgement(.transport(.localShortage)) }
        return Judgement(.accepted, session: made)
    }

    private static func issuedAt(of fields: AnswerFields, _ session: ClaimFields?) -> Int64 {
        if case .number(let number) = session?.issuedAt { return Timestamp.numericDate(number) ?? 0 }
        return fields.claims.issuedAt.text.flatMap { $0.withText { Timestamp.rfc3339($0) } } ?? 0
    }

    private static func isUsableUser(_ subject: JSONField) -> Bool {
        guard case .text(let text) = subject, !text.isEmpty else { return false }
        return text.withText { !UUIDText.isNil($0) }
    }

    /// A moment that was sent, or that could not be read.
    private enum Expiry {
        case seconds(Int64)
        case unreadable

        init(_ seconds: Int64?) { self = seconds.map { .seconds($0) } ?? .unreadable }
    }

    /// The expiry that counts; nil when none was sent. Answers hold texts, payloads numbers.
    private static func expiry(of fields: AnswerFields, _ session: ClaimFields?) -> Expiry? {
        if !fields.expirationTime.isAbsent { return textExpiry(fields.expirationTime) }
        if let expiration = session?.expiration, !expiration.isAbsent {
            guard case .number(let number) = expiration else { return .unreadable }
            return Expiry(Timestamp.numericDate(number))
        }
        return fields.claims.expiration.isAbsent ? nil : textExpiry(fields.claims.expiration)
    }

    private static func textExpiry(_ field: JSONField) -> Expiry {
        guard case .text(let text) = field else { return .unreadable }
        return Expiry(text.withText { Timestamp.rfc3339($0) })
    }

    private static func contradiction(ofExpiry expiry: Int64, now: Int64, serverDate: Int64?) -> VerdictReason? {
        let secondsAgo = now &- expiry
        guard secondsAgo > toleratedSeconds else { return nil }
        if let ahead = clockOffset(now: now, serverDate: serverDate) { return .clockOff(seconds: ahead) }
        return .expired(secondsAgo: secondsAgo)
    }

    /// By how many seconds this machine's clock is ahead of the server's; nil when that is tolerable or not known.
    static func clockOffset(now: Int64, serverDate: Int64?) -> Int64? {
        guard let serverDate else { return nil }
        let ahead = now &- serverDate
        return ahead > toleratedSeconds || ahead < 0 &- toleratedSeconds ? ahead : nil
    }
}
