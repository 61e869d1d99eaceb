/// How asking for the key set ended, for the call that wanted to know.
enum KeySetAnswer {
    case result(ConfirmationResult)
    /// The deadline passed first.
    case late
    /// It says nothing about Hanko: it did not get that far, or it was this machine's own doing.
    case failed(TransportFailure)

    /// There was no connection for it.
    init(notAsked failure: TransportFailure) {
        self = failure == .deadline ? .late : .failed(failure)
    }

    init(_ end: ExchangeEnd) {
        switch end {
        case .failure(.deadline):
            self = .late
        case .failure(let failure) where ExchangeOutcome(end, hadTime: true) == .nothing:
            self = .failed(failure)
        default:
            self = .result(ConfirmationResult(end))
        }
    }

    /// What others who wait for it get; with nil they decide anew.
    var shared: ConfirmationResult? {
        guard case .result(let result) = self else { return nil }
        return result
    }
}
