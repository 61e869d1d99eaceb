/// What an exchange tells the circuit breaker.
package enum ExchangeOutcome: Equatable {
    case success
    case failure
    /// Nothing: it did not get that far, or it was this machine's own doing.
    case nothing

    /// - Parameters:
    ///   - health: what the end of the exchange says.
    ///   - hadTime: it had at least half of the configured timeout, so that a deadline that passed is the server's fault.
    package init(_ health: ExchangeMeaning.Health, hadTime: Bool) {
        switch health {
        case .success: self = .success
        case .failure: self = .failure
        case .failureIfItHadTime: self = hadTime ? .failure : .nothing
        case .nothing: self = .nothing
        }
    }
}
