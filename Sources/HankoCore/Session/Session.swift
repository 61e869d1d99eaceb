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

    /// All texts, each with its NUL, in one piece of memory that does not move.
    private let texts: UnsafeMutablePointer<CChar>
    private let userIDOffset: Int?
    private let sessionIDOffset: Int?
    private let emailOffset: Int?
    private let usernameOffset: Int?
    private let claimsOffset: Int?
    private let claims: [Claim]
    package let emailIsVerified: Bool
    /// Seconds since 1970; 0: not sent. So for all times.
    package let issuedAt: Int64
    package let expiresAt: Int64
    package let idleExpiresAt: Int64

    package var userID: UnsafePointer<CChar>? { text(userIDOffset) }
    package var sessionID: UnsafePointer<CChar>? { text(sessionIDOffset) }
    package var email: UnsafePointer<CChar>? { text(emailOffset) }
    package var username: UnsafePointer<CChar>? { text(usernameOffset) }
    /// Every claim as Hanko sent it, without white space between its parts.
    package var claimsJSON: UnsafePointer<CChar>? { text(claimsOffset) }

    /// - Returns: nil when there is no memory.
    init?(_ facts: SessionFacts) {
        var builder = TextBuilder()
        userIDOffset = builder.add(facts.userID)
        sessionIDOffset = builder.add(facts.sessionID)
        emailOffset = builder.add(facts.email)
        usernameOffset = builder.add(facts.username)
        var found: [Claim] = []
        if let document = facts.claims {
            claimsOffset = builder.addCompact(document)
            _ = try? JSONObject.read(document) { (key, reader) throws(JSONError) in
                let value = try reader.skipValue()
                let name = key.bytes()
                let start = builder.add(name)
                found.append(Claim(name: start, nameLength: name.count, value: builder.addCompact(value)))
            }
        } else {
            claimsOffset = nil
        }
        claims = found
        emailIsVerified = facts.emailIsVerified
        issuedAt = facts.issuedAt
        expiresAt = facts.expiresAt
        idleExpiresAt = facts.idleExpiresAt
        guard let memory = malloc(max(1, builder.bytes.count)) else { return nil }
        builder.bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(memory, start, bytes.count) }
        }
        texts = memory.assumingMemoryBound(to: CChar.self)
    }

    deinit { free(texts) }

    /// The value of one claim of the top level, as JSON; nil when there is none of that name.
    package func claimJSON(named name: ByteView) -> UnsafePointer<CChar>? {
        for claim in claims {
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
