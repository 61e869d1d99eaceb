extension VerdictReason {
    /// What it means for a call that there is no token to ask about.
    package init(_ refusal: TokenRefusal) {
        self =
            switch refusal {
            case .empty: .noToken
            case .blank: .tokenBlank
            case .tooLong: .tokenTooLong
            case .holdsNUL: .tokenHoldsNUL
            case .notUTF8: .tokenNotUTF8
            case .notCanonical: .tokenNotCanonical
            case .noMemory: .transport(.localShortage)
            }
    }
}
