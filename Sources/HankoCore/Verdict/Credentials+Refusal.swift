extension Credentials {
    /// Why Hanko need not be asked; nil when it must be.
    package var refusal: VerdictReason? {
        if holdNUL { return .headerHoldsNUL }
        return count == 0 ? .noToken : nil
    }
}
