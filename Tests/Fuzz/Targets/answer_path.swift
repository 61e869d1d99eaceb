import HankoCore

/// The whole way of an answer: bytes of a head, line by line, the framing of its body, the verdict, and the session with
/// everything that can be read of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func followAnswer(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    withExactCopy(bytes) { follow($0) }
    return 0
}

private func follow(_ bytes: ByteView) {
    var head = ResponseHead()
    var position = 0
    var isComplete = false
    while position < bytes.count, !isComplete, !head.isTooLarge {
        let end = (bytes.firstPosition(of: 0x0A, from: position) ?? bytes.count - 1) + 1
        isComplete = head.receive(bytes.slice(from: position, to: end)) == .complete
        position = end
    }
    guard isComplete else { return }
    let received = bytes.slice(from: position)
    var body: [UInt8] = []
    var isWhole = true
    if head.isChunked {
        var framing = ChunkedBody()
        let progress = framing.feed(received) { piece in
            body.append(contentsOf: piece.bytes())
            return true
        }
        isWhole = progress != .malformed && framing.isComplete
    } else {
        body = received.bytes()
    }
    guard isWhole else { return }
    withExactCopy(body) { view in
        var answer = Answer()
        answer.status = head.status
        answer.headTooLarge = head.isTooLarge
        answer.contentLengthsDiffer = head.contentLengthsDiffer
        answer.date = head.date
        answer.retryAfter = head.retryAfter
        answer.age = head.age
        answer.body = view
        judge(answer)
    }
}

private func judge(_ answer: Answer) {
    guard let token = try? SessionToken(ByteView("test-token")) else { fatalError("the token is refused") }
    let judgement = Verdict.judge(
        .answer(answer), token: token, audiences: [], now: 1_795_352_434, wantsSession: true)
    require((judgement.reason == .accepted) == (judgement.session != nil), "a session comes with a yes and only then")
    guard let session = judgement.session else { return }
    require(answer.status == 200 && !answer.contentLengthsDiffer, "a yes without a sound 200")
    for text in [session.userID, session.sessionID, session.email, session.username, session.claimsJSON] {
        guard let text else { continue }
        require(String(validatingCString: text) != nil, "a text that is not UTF-8")
    }
    if let user = session.userID { require(user.pointee != 0, "a user without a name") }
    if let claims = session.claimsJSON {
        require(claims.pointee == 0x7B, "claims that are no object")
        for name: StaticString in ["email", "subject", "a", ""] {
            if let value = session.claimJSON(named: ByteView(name)) { require(value.pointee != 0, "an empty claim") }
        }
    }
    _ = (session.emailIsVerified, session.issuedAt, session.expiresAt, session.idleExpiresAt)
}
