/// The texts of a session as C strings, all in one piece of memory: its facts, its claims as JSON, and each claim of the
/// top level once more.
struct SessionTexts: ~Copyable {
    private var memory: TextMemory
    /// Where the texts begin; nil for what was not sent.
    private var userIDStart: Int?
    private var sessionIDStart: Int?
    private var emailStart: Int?
    private var usernameStart: Int?
    private var claimsStart: Int?
    /// Where the claims of the top level begin. Each has the length of its name and that of its value, four bytes each,
    /// the name, the value, and a NUL.
    private var eachClaimStart = 0

    var userID: UnsafePointer<CChar>? { text(userIDStart) }
    var sessionID: UnsafePointer<CChar>? { text(sessionIDStart) }
    var email: UnsafePointer<CChar>? { text(emailStart) }
    var username: UnsafePointer<CChar>? { text(usernameStart) }
    var claims: UnsafePointer<CChar>? { text(claimsStart) }

    /// Everything was written: the memory was large enough.
    var areComplete: Bool { !memory.hasOverflowed }

    /// - Parameter memory: has room for `capacity(for: facts)` bytes.
    init(_ facts: SessionFacts, in memory: consuming TextMemory) {
        self.memory = memory
        userIDStart = add(facts.userID)
        sessionIDStart = add(facts.sessionID)
        emailStart = add(facts.email)
        usernameStart = add(facts.username)
        if let claims = facts.claims { addClaims(claims, holdWhiteSpace: facts.claimsHoldWhiteSpace) }
    }

    /// Never too little: resolved escapes are shorter than written ones, and the five bytes that a claim takes more than
    /// it has in the document, its quotes and colon and comma aside, are at most what the shortest claim has.
    static func capacity(for facts: SessionFacts) -> Int {
        let claims = facts.claims.map { $0.count &* 3 &+ 1 } ?? 0
        return length(of: facts.userID) &+ length(of: facts.sessionID) &+ length(of: facts.email)
            &+ length(of: facts.username) &+ claims
    }

    private static func length(of text: JSONString?) -> Int { text.map { $0.raw.count &+ 1 } ?? 0 }

    private mutating func add(_ text: JSONString?) -> Int? {
        guard let text else { return nil }
        let start = memory.count
        JSONWriter.appendResolved(text, to: &memory)
        memory.append(0)
        return start
    }

    private mutating func addClaims(_ document: ByteView, holdWhiteSpace: Bool) {
        let start = memory.count
        claimsStart = start
        if holdWhiteSpace {
            JSONWriter.appendCompact(document, to: &memory)
        } else {
            memory.append(document)
        }
        // It does not move while the claims are added behind it.
        let compact = memory.written.slice(from: start)
        memory.append(0)
        eachClaimStart = memory.count
        var layout = JSONLayout(compact)
        while let claim = layout.nextMember() { addClaim(claim.name, claim.value) }
    }

    private mutating func addClaim(_ name: JSONString, _ value: ByteView) {
        let lengths = memory.count
        memory.appendNumber(0)
        memory.appendNumber(UInt32(truncatingIfNeeded: value.count))
        let start = memory.count
        JSONWriter.appendResolved(name, to: &memory)
        memory.setNumber(UInt32(truncatingIfNeeded: memory.count &- start), at: lengths)
        memory.append(value)
        memory.append(0)
    }

    /// The value of one claim of the top level, as JSON; nil when there is none of that name.
    func claim(named name: ByteView) -> UnsafePointer<CChar>? {
        guard claimsStart != nil else { return nil }
        var position = eachClaimStart
        while position < memory.count {
            let nameStart = position &+ 8
            let valueStart = nameStart &+ Int(memory.number(at: position))
            if memory.written.slice(from: nameStart, to: valueStart).equals(name) {
                return memory.cString(at: valueStart)
            }
            position = valueStart &+ Int(memory.number(at: position &+ 4)) &+ 1
        }
        return nil
    }

    private func text(_ start: Int?) -> UnsafePointer<CChar>? {
        guard let start else { return nil }
        return memory.cString(at: start)
    }
}
