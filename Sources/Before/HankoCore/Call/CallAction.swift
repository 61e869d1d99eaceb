/// What is to be done next for a call.
package enum CallAction: Equatable {
    /// Send the candidate's request; on a fresh connection when the kept one was dead, which is the same exchange still.
    case send(candidate: Int, replacingConnection: Bool)
    case pause(nanoseconds: Int64)
    /// Ask for the key set before the candidate's "no" counts.
    case confirm(candidate: Int)
    /// Ask for the key set, for the start-up test.
    case askForKeySet
    case finish(VerdictReason)
}
