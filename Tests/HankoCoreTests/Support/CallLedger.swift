@testable import HankoCore

/// The books on one call: what it holds, so that each turn is given back once, each permit settled once, and each flight
/// landed once, and nothing is done without the turn that it needs.
struct CallLedger {
    private(set) var holdsTurn = false
    private(set) var permit: CircuitBreaker.Permit?
    private(set) var flight: UInt64?
    private(set) var isOver = false
    private(set) var retries = 0

    mutating func tookTurn() { holdsTurn = true }

    mutating func admitted(_ permit: CircuitBreaker.Permit) { self.permit = permit }

    mutating func began(_ flight: UInt64) { self.flight = flight }

    /// Enters a step.
    ///
    /// - Parameter purpose: of the call.
    /// - Returns: what is wrong with it; nil when nothing is.
    mutating func enter(_ step: CallStep, of purpose: CallProgress.Purpose = .validation) -> String? {
        if isOver { return "\(step.next) after the end" }
        if step.releasesTurn {
            if !holdsTurn { return "a turn is given back that it does not have" }
            holdsTurn = false
        }
        if let settlement = step.settlement {
            if settlement.permit != permit { return "a permit is settled that it does not have" }
            permit = nil
        }
        if let landing = step.landing {
            if landing.flight != flight { return "a flight lands that it did not begin" }
            flight = nil
        }
        if step.countsRetry {
            guard case .send = step.next else { return "a retry without a request" }
            retries += 1
        }
        return wrong(step.next, purpose)
    }

    private mutating func wrong(_ next: CallStep.Next, _ purpose: CallProgress.Purpose) -> String? {
        switch next {
        case .takeTurn:
            if holdsTurn { return "a second turn" }
        case .send:
            if !holdsTurn { return "a request without a turn" }
            if (permit != nil) != (purpose == .validation) { return "a request that the breaker has not let out" }
            if flight != nil { return "a request while others wait for the key set" }
        case .askForKeySet:
            if !holdsTurn { return "the key set without a turn" }
            if (flight != nil) != (purpose == .validation) { return "the key set without a flight" }
        case .confirm:
            if flight != nil { return "a flight is left alone" }
        case .rest, .join:
            if holdsTurn { return "it waits, and keeps a turn" }
            if flight != nil { return "it waits, and others wait for it" }
        case .finish:
            if holdsTurn { return "a turn is not given back" }
            if permit != nil { return "an exchange is not settled" }
            if flight != nil { return "a flight does not land" }
            isOver = true
        }
        return nil
    }
}
