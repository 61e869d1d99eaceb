extension Credentials {
    /// Why Hanko need not be asked; nil when it must be.
    package var refusal: VerdictReason? {
        if holdNUL { return .headerHoldsNUL }
        switch firstRefusal {
        case .noMemory: return VerdictReason(.noMemory)
        case let refusal? where count == 0: return VerdictReason(refusal)
        default: return count == 0 ? .noToken : nil
        }
    }
}
