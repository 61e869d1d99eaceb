import HankoCore

/// The whole way of an answer: the bytes of a connection, which may end behind them, the reader, the verdict, and the
/// session with everything that can be read of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func followAnswer(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    withExactCopy(bytes) { follow($0) }
    return 0
}

private func follow(_ bytes: ByteView) {
    var reader = ResponseReader(expecting: RequestID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210))
    _ = reader.receive(bytes)
    if reader.progress == .more { _ = reader.end() }
    if case .failed(let fault) = reader.progress, let failure = fault.failure {
        judge(.failure(failure), isSound: false)
        return
    }
    let isSound = reader.progress == .complete
    reader.withAnswer { judge(.answer($0), isSound: isSound) }
}

private func judge(_ end: ExchangeEnd, isSound: Bool) {
    guard let token = try? SessionToken(ByteView("test-token")) else { fatalError("the token is refused") }
    let judgement = Verdict.judge(end, token: token, audiences: [], now: 1_795_352_434, wantsSession: true)
    require((judgement.reason == .accepted) == (judgement.session != nil), "a session comes with a yes and only then")
    let status = judgement.reason.status
    require(isSound || status != .invalidToken, "a no without a sound answer")
    guard let session = judgement.session else { return }
    guard case .answer(let answer) = end else { fatalError("a yes without an answer") }
    require(isSound && answer.status == 200, "a yes without a sound 200")
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
