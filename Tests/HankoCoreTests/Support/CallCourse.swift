@testable import HankoCore
import Testing

/// A call to which things happen one after the other, and the books on it. What the books find is an issue.
struct CallCourse {
    private(set) var call: CallProgress
    /// The step that is to be carried out.
    private(set) var step = CallStep(.takeTurn)
    private(set) var ledger = CallLedger()
    private var breaker = CircuitBreaker()
    var now: Int64 = 0

    init(
        _ purpose: CallProgress.Purpose = .validation, candidates: Int = 1, retries: Int64 = 1, confirms: Bool = false,
        timeoutMilliseconds: Int64 = 10_000, wantsSession: Bool = false
    ) {
        var configuration = Configuration()
        configuration.timeoutMilliseconds = timeoutMilliseconds
        configuration.maximumRetries = retries
        configuration.confirmsRejections = confirms
        call = CallProgress(
            purpose, candidateCount: candidates, configuration,
            deadline: Deadline(milliseconds: timeoutMilliseconds, after: 0), wantsSession: wantsSession)
    }

    private mutating func next(_ step: CallStep) -> CallStep.Next {
        self.step = step
        if let wrong = ledger.enter(step, of: call.purpose) { Issue.record("\(wrong)") }
        return step.next
    }

    mutating func begin() -> CallStep.Next { next(call.begin()) }

    /// A turn comes, and the breaker lets the request out if it is asked.
    mutating func turnCame() -> CallStep.Next {
        ledger.tookTurn()
        guard call.needsPermit, let permit = breaker.admit(at: now) else {
            return next(call.turnCame(.notNeeded, now: now))
        }
        ledger.admitted(permit)
        return next(call.turnCame(.granted(permit), now: now))
    }

    /// A turn comes, and the breaker has opened meanwhile.
    mutating func turnCameInVain() -> CallStep.Next {
        ledger.tookTurn()
        return next(call.turnCame(.refused, now: now))
    }

    mutating func refused(_ failure: TransportFailure) -> CallStep.Next { next(call.refused(failure, now: now)) }

    mutating func ended(_ report: ExchangeReport) -> CallStep.Next { next(call.exchangeEnded(report, now: now)) }

    /// An exchange ends, before which a turn comes if one is waited for.
    mutating func asked(_ report: ExchangeReport) -> CallStep.Next {
        if step.next == .takeTurn { _ = turnCame() }
        return ended(report)
    }

    mutating func rested() -> CallStep.Next { next(call.rested()) }

    mutating func decided(_ decision: CallProgress.Decision) -> CallStep.Next {
        if case .begin(let flight) = decision { ledger.began(flight) }
        return next(call.decided(decision, now: now))
    }

    mutating func confirmationEnded(_ result: ConfirmationResult?) -> CallStep.Next {
        next(call.confirmationEnded(result, now: now))
    }

    mutating func keySetEnded(_ end: ExchangeEnd, kept: Bool = false, bound: Bool = true) -> CallStep.Next {
        var use = ConnectionUse()
        use.isKept = kept
        use.isBound = bound
        return next(call.keySetEnded(KeySetReport(end, use), now: now))
    }

    mutating func deadlinePassed() -> CallStep.Next { next(call.deadlinePassed(now: now)) }

    mutating func cancelled(_ reason: VerdictReason = .cancelled) -> CallStep.Next { next(call.cancelled(reason)) }
}
