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
            // Any other complete answer is a success, else odd tokens could open the breaker.
            self = answer.saysServerFailed ? .failure : .success
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
