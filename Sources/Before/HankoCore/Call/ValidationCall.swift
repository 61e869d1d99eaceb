/// The course of one call, from its first candidate to its result: a value fed with events that answers with actions.
///
/// Both drivers, the blocking one and the queue, only do what it says. Nothing in it can make a yes: `.accepted`
/// comes from `Verdict` and ends the call.
package struct ValidationCall {
    private let candidateCount: Int
    private let confirmsRejections: Bool
    private let deadline: Deadline
    private var retriesLeft: Int64
    private var candidate = 0
    private var hasReplacedConnection = false
    /// Why the first candidate that could not be judged could not.
    private var firstUnjudged: VerdictReason?

    package init(candidateCount: Int, maximumRetries: Int64, confirmsRejections: Bool, deadline: Deadline) {
        self.candidateCount = candidateCount
        self.confirmsRejections = confirmsRejections
        retriesLeft = maximumRetries
        self.deadline = deadline
    }

    /// How many retries came before; for the backoff.
    package private(set) var retryCount: Int64 = 0

    package func begin() -> CallAction { .send(candidate: 0, replacingConnection: false) }

    /// An exchange ended.
    package mutating func ended(_ report: ExchangeReport, now: Int64) -> CallAction {
        if report.foundDeadConnection, !hasReplacedConnection {
            hasReplacedConnection = true
            return .send(candidate: candidate, replacingConnection: true)
        }
        if case .after(let pause) = report.retry, retriesLeft > 0 {
            // One that does not fit the deadline would only make the caller wait for nothing.
            guard now &+ pause < deadline.nanoseconds else { return .finish(report.reason) }
            retriesLeft &-= 1
            retryCount &+= 1
            return .pause(nanoseconds: pause)
        }
        if report.reason == .rejected, confirmsRejections { return .confirm(candidate: candidate) }
        return judged(report.reason)
    }

    /// A pause is over.
    package mutating func paused() -> CallAction {
        hasReplacedConnection = false
        return .send(candidate: candidate, replacingConnection: false)
    }

    /// The key set was asked for.
    package mutating func confirmed(_ result: ConfirmationResult) -> CallAction { judged(result.reason) }

    /// The candidate is judged, by Hanko or without asking.
    package mutating func judged(_ reason: VerdictReason) -> CallAction {
        switch reason.status {
        case .ok, .unavailable, .timeout, .cancelled:
            return .finish(reason)
        case .invalidToken:
            break
        default:
            if firstUnjudged == nil { firstUnjudged = reason }
        }
        candidate &+= 1
        guard candidate < candidateCount else { return .finish(firstUnjudged ?? reason) }
        hasReplacedConnection = false
        return .send(candidate: candidate, replacingConnection: false)
    }
}
