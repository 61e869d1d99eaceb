import HankoCore

/// The verdict against the table of verdicts written a second time, and a yes against the plainest of checks.
@_cdecl("LLVMFuzzerTestOneInput")
public func judge(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let given = VerdictInput(input(data, size))
    let reason = given.reason()
    require(given.reason() == reason, "the same question gets another answer")
    require(reason.status == VerdictModel(given).status, "the verdict and its model differ")
    require((reason == .accepted) == (reason.status == .ok), "a yes has one reason only")
    let text = reason.text
    require(!text.isEmpty && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "the text has bytes not our own")
    require(!text.contains("is_valid\""), "the text quotes the answer")
    _ = (reason.logLevel, reason.code)
    guard reason == .accepted else { return 0 }

    // Shares no line with the reader or its model.
    require(given.status == 200, "a yes without 200")
    require(given.flags.isDisjoint(with: Array("hbceaf".utf8)), "a yes of a damaged answer")
    require(contains(given.body, "true"), "a yes without true")
    require(contains(given.body, "\"is_valid\"") || contains(given.body, "\\u"), "a yes without is_valid")

    // Nothing that makes an answer less trustworthy may leave the yes standing.
    for flag in "hbceaf".utf8 {
        var damaged = given
        damaged.flags.insert(flag)
        require(damaged.reason().status != .ok, "a damaged answer is a yes")
    }
    for status in [0, 100, 101, 199, 201, 204, 299, 302, 400, 401, 404, 429, 500, 600, 999] {
        var other = given
        other.status = status
        require(other.reason().status != .ok, "another status is a yes")
    }
    var short = given
    short.body = Array(given.body[..<(given.body.lastIndex(of: UInt8(ascii: "}")) ?? 0)])
    require(short.reason().status == .protocolError, "an answer without its end is a yes")
    var earlier = given
    earlier.now -= 100_000
    require(earlier.reason() == .accepted, "what is valid now was valid before")
    var strict = given
    strict.audiences = [Array("no such audience: \u{0}".utf8)]
    require(strict.reason().isForAudience, "a foreign audience is a yes")
    return 0
}

private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
    let text = Array(text.utf8)
    return bytes.indices.contains { bytes[$0...].starts(with: text) }
}
