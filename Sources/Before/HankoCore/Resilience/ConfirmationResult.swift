/// What Hanko's key set says about a "no".
package enum ConfirmationResult: Equatable {
    /// Hanko can show its keys: the "no" stands.
    case stands
    /// Hanko cannot show its keys, or could not be asked for them: the "no" may be an outage in disguise. The number is
    /// the HTTP status, 0 when there was no answer.
    case outage(Int)
    /// A cache answered for Hanko, which says nothing about Hanko now.
    case cached
    /// A gateway keeps the key set from everybody or from this machine: the "no" stands, as nothing can be learnt.
    case hidden(Int)
    /// Something in front of Hanko answers otherwise than Hanko does, so that no "no" can be confirmed.
    case notShown(Int)

    /// Reads the end of `GET /.well-known/jwks.json`.
    package init(_ end: ExchangeEnd) {
        guard case .answer(let answer) = end, !answer.headTooLarge else {
            self = .outage(0)
            return
        }
        switch answer.status {
        case 200...299:
            self = (answer.age ?? 0) > 0 ? .cached : .stands
        case 401, 403, 404, 405, 410: self = .hidden(answer.status)
        case _ where answer.saysServerFailed: self = .outage(answer.status)
        default: self = .notShown(answer.status)
        }
    }

    /// The reason that a rejected token gets.
    var reason: VerdictReason {
        switch self {
        case .stands, .hidden: .rejected
        case .outage(let code): .notConfirmed(code)
        case .cached: .keySetCached
        case .notShown(let code): .keySetNotShown(code)
        }
    }
}
