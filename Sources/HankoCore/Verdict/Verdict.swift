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
        _ end: ExchangeEnd, token: SessionToken, audiences: [[UInt8]], now: Int64, wantsSession: Bool
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
    private static func reasonForStatus(of answer: Answer, token: SessionToken) -> VerdictReason? {
        if answer.headTooLarge { return .headTooLarge }
        switch ExchangeMeaning.of(status: answer.status).reason {
        case .body:
            if answer.isEarly { return .transport(.unaskedBytes) }
            if answer.hasBrokenLength { return .brokenLength }
            if answer.isEncoded { return .encodedBody }
            return answer.bodyTooLarge ? .bodyTooLarge : nil
        case .claimsOrAddress:
            return blamesClaims(answer) ? .claimsUnreadable : .wrongAddress(answer.status)
        case .lengthOrAddress:
            return token.text.count > ordinaryTokenLength && !answer.isEarly
                ? .tokenRefusedForLength(answer.status) : .wrongAddress(answer.status)
        case .serverFailed: return .serverFailed(answer.status)
        case .wrongAddress: return .wrongAddress(answer.status)
        case .unexpectedStatus, .failure: return .unexpectedStatus(answer.status)
        }
    }

    // MARK: 400

    /// Whether a 400 is the only one that a token causes: Hanko's shape, and a message that begins with these words.
    private static func blamesClaims(_ answer: Answer) -> Bool {
        guard !answer.isEarly else { return false }
        return hasHankosShape(answer, messagePrefix: "failed to parse token claims")
    }

    /// Whether a 400 has the shape of Hanko's own errors: an object with the code 400 and a message. What else answers 400
    /// may not have read the request.
    ///
    /// - Parameter messagePrefix: how the message must begin.
    @inline(never)
    package static func hasHankosShape(_ answer: Answer, messagePrefix: StaticString = "") -> Bool {
        guard answer.status == 400, answer.bodyIsWhole else { return false }
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
                    hasMessage = text.hasPrefix(messagePrefix)
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
        of answer: Answer, token: SessionToken, audiences: [[UInt8]], now: Int64, wantsSession: Bool
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
        func judge(_ payload: ClaimFields?) -> Judgement {
            judgeYes(
                fields, claims: token.claims, payload: payload, audiences: audiences, now: now,
                serverDate: answer.date, wantsSession: wantsSession)
        }
        guard needsPayload(fields, token.claims, audiences) else { return judge(nil) }
        return token.withClaimFields(judge) ?? Judgement(.transport(.localShortage))
    }

    /// Whether the verdict needs texts of the payload. What it says in numbers and UUIDs is known already, and Hanko
    /// repeats the rest.
    private static func needsPayload(_ fields: AnswerFields, _ claims: TokenClaims?, _ audiences: [[UInt8]]) -> Bool {
        guard let claims, claims.areOfSession else { return false }
        return !audiences.isEmpty || fields.userID.isAbsent || fields.claims.sessionID.isAbsent
            || claims.subject == .other
    }

    /// Looks for what in the answer or the token speaks against the yes of an answer.
    ///
    /// - Parameters:
    ///   - claims: what the payload of the token says, which Hanko has just verified; nil when it is no JWS.
    ///   - payload: its texts, where they are needed and it is the payload of a Hanko session.
    private static func judgeYes(
        _ fields: AnswerFields, claims: TokenClaims?, payload: ClaimFields?, audiences: [[UInt8]], now: Int64,
        serverDate: Int64?, wantsSession: Bool
    ) -> Judgement {
        // Whose claims: custom claims can overwrite anything inside `claims`, and users may influence those. The fields
        // at the top come first, then the payload of a token that is a Hanko session's, and `claims` last.
        let session = claims?.areOfSession == true ? claims : nil
        let subject = fields.userID.ifSent ?? payload?.subject.ifSent ?? fields.claims.subject
        if !subject.isAbsent, !isUsableUser(subject) { return Judgement(.userUnusable) }
        // Whose answer: an answer that was meant for another token must not become this one's yes.
        if isForAnotherToken(fields, claims, payload) { return Judgement(.otherToken) }
        var facts = SessionFacts()
        facts.userID = subject.text
        facts.sessionID = fields.claims.sessionID.text ?? payload?.sessionID.text
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
        case .absent:
            break
        }
        if !audiences.isEmpty {
            // Never `claims.audience`, which a custom claim can overwrite.
            guard session != nil, let payload else { return Judgement(.audienceUnknown) }
            guard let matches = Audience.matches(payload.audience, oneOf: audiences) else {
                return Judgement(.transport(.localShortage))
            }
            if !matches { return Judgement(.audienceMismatch) }
        }
        guard wantsSession else { return Judgement(.accepted) }
        facts.issuedAt = issuedAt(of: fields, session)
        facts.idleExpiresAt = fields.idleExpiresAt.time ?? 0
        facts.claims = fields.claimsDocument
        facts.claimsHoldWhiteSpace = fields.claimsHoldWhiteSpace
        guard let made = Session.make(facts) else { return Judgement(.transport(.localShortage)) }
        return Judgement(.accepted, session: made)
    }

    /// Whether the answer speaks of another token: a proxy in front of Hanko may mix up its answers. Hanko repeats
    /// subject, session and expiry of the token, where no custom claim can overwrite them.
    private static func isForAnotherToken(
        _ fields: AnswerFields, _ claims: TokenClaims?, _ payload: ClaimFields?
    ) -> Bool {
        guard let claims else { return false }
        guard let sessionID = claims.sessionID else {
            // Not the payload of a session that Hanko makes today; two users are two users all the same.
            guard case .uuid(let subject) = claims.subject, let user = fields.userID.uuid else { return false }
            return subject != user
        }
        if !fields.claims.sessionID.isAbsent, fields.claims.sessionID.uuid != sessionID { return true }
        if !fields.userID.isAbsent, !isSameUser(fields.userID, claims.subject, payload) { return true }
        if case .seconds(let expiry) = textExpiry(fields.expirationTime) {
            return claims.expiration != .absent && claims.expiration != .seconds(expiry)
        }
        return false
    }

    private static func isSameUser(
        _ user: JSONField, _ subject: TokenClaims.Subject, _ payload: ClaimFields?
    ) -> Bool {
        switch subject {
        case .absent: true
        case .uuid(let uuid): user.uuid == uuid
        case .other:
            if let user = user.text, let subject = payload?.subject.text { user.equals(subject) } else { false }
        }
    }

    private static func issuedAt(of fields: AnswerFields, _ session: TokenClaims?) -> Int64 {
        if let issuedAt = session?.issuedAt { return issuedAt }
        return fields.claims.issuedAt.time ?? 0
    }

    private static func isUsableUser(_ subject: JSONField) -> Bool {
        guard case .text(let text) = subject, !text.isEmpty else { return false }
        return subject.uuid?.isNil != true
    }

    /// The expiry that counts. Answers hold texts, payloads numbers.
    private static func expiry(of fields: AnswerFields, _ session: TokenClaims?) -> TokenClaims.Expiration {
        if !fields.expirationTime.isAbsent { return textExpiry(fields.expirationTime) }
        if let session, session.expiration != .absent { return session.expiration }
        return textExpiry(fields.claims.expiration)
    }

    private static func textExpiry(_ field: JSONField) -> TokenClaims.Expiration {
        field.isAbsent ? .absent : field.time.map { .seconds($0) } ?? .unreadable
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
