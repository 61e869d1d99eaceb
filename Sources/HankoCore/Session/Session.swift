import CSystem

/// What Hanko said about a token, at the moment it was asked. It never changes; its texts are C strings that live as
/// long as it does.
package final class Session: @unchecked Sendable {
    /// One claim of the top level: where its name and its value stand in the texts.
    private struct Claim {
        let name: Int
        let nameLength: Int
        let value: Int
    }

    /// Where the texts stand.
    private struct Offsets {
        let userID: Int?
        let sessionID: Int?
        let email: Int?
        let username: Int?
        let claims: Int?
        let eachClaim: [Claim]

        init(_ facts: SessionFacts, _ builder: inout TextBuilder) {
            userID = builder.add(facts.userID)
            sessionID = builder.add(facts.sessionID)
            email = builder.add(facts.email)
            username = builder.add(facts.username)
            guard let document = facts.claims else {
                claims = nil
                eachClaim = []
                return
            }
            claims = builder.addCompact(document)
            var found: [Claim] = []
            _ = try? JSONObject.read(document) { (key, reader) throws(JSONError) in
                let value = try reader.skipValue()
                let name = key.bytes()
                let start = builder.add(name)
                found.append(Claim(name: start, nameLength: name.count, value: builder.addCompact(value)))
            }
            eachClaim = found
        }
    }

    /// All texts, each with its NUL, in one piece of memory that does not move.
    private let texts: UnsafeMutablePointer<CChar>
    private let offsets: Offsets
    package let emailIsVerified: Bool
    /// Seconds since 1970; 0: not sent. So for all times.
    package let issuedAt: Int64
    package let expiresAt: Int64
    package let idleExpiresAt: Int64

    package var userID: UnsafePointer<CChar>? { text(offsets.userID) }
    package var sessionID: UnsafePointer<CChar>? { text(offsets.sessionID) }
    package var email: UnsafePointer<CChar>? { text(offsets.email) }
    package var username: UnsafePointer<CChar>? { text(offsets.username) }
    /// Every claim as Hanko sent it, without white space between its parts.
    package var claimsJSON: UnsafePointer<CChar>? { text(offsets.claims) }

    /// - Returns: nil when there is no memory.
    static func make(_ facts: SessionFacts) -> Session? {
        var builder = TextBuilder()
        let offsets = Offsets(facts, &builder)
        guard Memory.isAvailable, let memory = malloc(max(1, builder.bytes.count)) else { return nil }
        builder.bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(memory, start, bytes.count) }
        }
        return Session(facts, offsets, memory.assumingMemoryBound(to: CChar.self))
    }

    private init(_ facts: SessionFacts, _ offsets: Offsets, _ texts: UnsafeMutablePointer<CChar>) {
        self.texts = texts
        self.offsets = offsets
        emailIsVerified = facts.emailIsVerified
        issuedAt = facts.issuedAt
        expiresAt = facts.expiresAt
        idleExpiresAt = facts.idleExpiresAt
    }

    deinit { free(texts) }

    /// The value of one claim of the top level, as JSON; nil when there is none of that name.
    package func claimJSON(named name: ByteView) -> UnsafePointer<CChar>? {
        for claim in offsets.eachClaim {
            let start = UnsafeRawPointer(texts + claim.name).assumingMemoryBound(to: UInt8.self)
            if ByteView(start, count: claim.nameLength).equals(name) { return text(claim.value) }
        }
        return nil
    }

    private func text(_ offset: Int?) -> UnsafePointer<CChar>? { offset.map { UnsafePointer(texts + $0) } }

    /// Lays texts one behind the other.
    private struct TextBuilder {
        var bytes: [UInt8] = []

        mutating func add(_ text: JSONString?) -> Int? { text.map { add($0.bytes()) } }

        mutating func add(_ text: [UInt8]) -> Int {
            let start = bytes.count
            bytes.append(contentsOf: text)
            bytes.append(0)
            return start
        }

        mutating func addCompact(_ value: ByteView) -> Int {
            let start = bytes.count
            JSONWriter.appendCompact(value, to: &bytes)
            bytes.append(0)
            return start
        }
    }
}
