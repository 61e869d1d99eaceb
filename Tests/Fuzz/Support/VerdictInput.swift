import HankoCore

/// What the verdict is made from, as the fuzzer's files hold it: three lines, and the body of the answer after them.
///
///     200 - 1795352434 1795352434       status; flags; our time; the server's time or -
///     ~{"sub":"…"}                      the token; after ~ comes the payload of one, not yet encoded
///     app.example,other.example         the configured audiences
///     {"is_valid":true}                 the body
///
/// Flags: `h` head too large, `b` body too large, `c` a broken length, `e` an encoded body, `a` an answer that began too
/// early, `f` no answer at all, `L` a token of more than 16 KiB.
struct VerdictInput {
    var status = 0
    var flags: Set<UInt8> = []
    var now: Int64 = 0
    var serverDate: Int64?
    var token: [UInt8] = []
    var audiences: [[UInt8]] = []
    var body: [UInt8] = []

    init(_ input: [UInt8]) {
        let lines = input.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false).map { Array($0) }
        let words = lines[0].split(separator: 0x20).map { Array($0) }
        if words.count > 0 { status = Int(String(decoding: words[0], as: UTF8.self)) ?? 0 }
        if words.count > 1 { flags = Set(words[1]) }
        if words.count > 2 { now = Self.seconds(words[2]) ?? 0 }
        if words.count > 3 { serverDate = Self.seconds(words[3]) }
        if lines.count > 1 { token = lines[1] }
        if token.first == UInt8(ascii: "~") {
            token = Array("e30.".utf8) + Base64Model.encode(Array(token.dropFirst())) + Array(".c2ln".utf8)
        }
        if has("L") { token += [UInt8](repeating: 0x41, count: 16_384) }
        if lines.count > 2, !lines[2].isEmpty { audiences = lines[2].split(separator: 0x2C).map { Array($0) } }
        if lines.count > 3 { body = lines[3] }
    }

    func has(_ flag: Unicode.Scalar) -> Bool { flags.contains(UInt8(ascii: flag)) }

    /// Any clock that a machine could show, and far more; not so much that a difference overflows.
    private static func seconds(_ word: [UInt8]) -> Int64? {
        guard let seconds = Int64(String(decoding: word, as: UTF8.self)) else { return nil }
        return min(max(seconds, -(1 << 60)), 1 << 60)
    }

    /// What the library makes of it; the token and the body stand in blocks of exactly their size.
    func reason() -> VerdictReason {
        withExactCopy(token) { bytes in
            let token: SessionToken
            do throws(TokenRefusal) {
                token = try SessionToken(bytes)
            } catch {
                return VerdictReason(error)
            }
            return reason(token)
        }
    }

    private func reason(_ token: SessionToken) -> VerdictReason {
        withExactCopy(body) { body in
            var answer = Answer()
            answer.status = status
            answer.body = body
            answer.headTooLarge = has("h")
            answer.bodyTooLarge = has("b")
            answer.hasBrokenLength = has("c")
            answer.isEncoded = has("e")
            answer.isEarly = has("a")
            answer.date = serverDate
            let end = has("f") ? ExchangeEnd.failure(.connectionLost) : .answer(answer)
            return Verdict.judge(end, token: token, audiences: audiences, now: now, wantsSession: true).reason
        }
    }
}
