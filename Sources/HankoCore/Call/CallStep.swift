/// What follows from an event of a call: what is done at once, and then what is next.
package struct CallStep {
    package enum Next: Equatable {
        /// Take a turn; `turnCame` or `refused` follows.
        case takeTurn
        /// Send the candidate's request, with the turn that is held; `exchangeEnded` follows.
        case send(candidate: Int, overFreshConnection: Bool)
        /// Ask for the key set, with the turn that is held; `keySetEnded` follows.
        case askForKeySet(overFreshConnection: Bool)
        /// Ask whether to ask for the key set before the candidate's "no" counts; `decided` follows.
        case confirm(candidate: Int)
        /// Wait until a moment; `rested` follows.
        case rest(until: Int64)
        /// Wait for another call's key set, until the deadline; `confirmationEnded` or `deadlinePassed` follows.
        case join
        case finish(VerdictReason)
    }

    /// What the breaker learns of the exchanges that it admitted.
    package struct Settlement: Equatable {
        package let permit: CircuitBreaker.Permit
        package let outcome: ExchangeOutcome
    }

    /// The request for the key set that others may wait for is over.
    package struct Landing: Equatable {
        package let flight: UInt64
        /// Nil: others decide anew.
        package let result: ConfirmationResult?
    }

    package let next: Next
    package var settlement: Settlement?
    package var landing: Landing?
    /// The turn is released, and with it the connection.
    package var releasesTurn = false
    /// The request that follows is a retry, to be counted.
    package var countsRetry = false
    /// The key set was answered with this status, so that no outage can be seen.
    package var hiddenKeySet: Int?

    init(_ next: Next) { self.next = next }
}
