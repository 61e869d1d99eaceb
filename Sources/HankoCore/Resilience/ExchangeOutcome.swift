/// What an exchange says about the health of the server, whatever it says about the token.
package enum ExchangeOutcome: Equatable {
    case success
    case failure
    /// Nothing: it did not get that far, or it was this machine's own doing.
    case nothing

    /// - Parameters:
    ///   - end: how the exchange ended.
    ///   - hadTime: it had at least half of the configured timeout, so that a deadline that passed is the server's fault.
    package init(_ end: ExchangeEnd, hadTime: Bool) {
        switch end {
        case .answer(let answer):
            switch answer.status {
            case 408, 425, 429, 500...599: self = .failure
            default: self = .success  // any other complete answer, else odd tokens could open the breaker
            }
        case .failure(let failure):
            switch failure {
            case .resolve, .connect, .connectTimeout, .proxy, .certificate, .tls, .connectionLost, .emptyReply,
                .bodyCutShort:
                self = .failure
            case .deadline:
                self = hadTime ? .failure : .nothing
            default:
                self = .nothing
            }
        }
    }
}
