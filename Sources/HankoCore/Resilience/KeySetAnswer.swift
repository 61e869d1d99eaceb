/// What asking for the key set came to, for the call that wanted to know.
package enum KeySetAnswer: Equatable {
    case result(ConfirmationResult)
    /// The deadline passed first.
    case late
    /// It says nothing about Hanko: it did not get that far, or it was this machine's own doing.
    case failed(TransportFailure)

    /// There was no connection for it.
    package init(notAsked failure: TransportFailure) {
        self = failure == .deadline ? .late : .failed(failure)
    }

    /// Reads the end of `GET /.well-known/jwks.json`.
    package init(_ end: ExchangeEnd) {
        switch (ExchangeMeaning.of(end).keySet, end) {
        case (.late, _): self = .late
        case (.nothing, .failure(let failure)): self = .failed(failure)
        // Whose answer it is is not known; it must not confirm anything.
        case (_, .answer(let answer)) where answer.isEarly || answer.headTooLarge || answer.hasBrokenLength:
            self = .result(.outage(0))
        case (.shown, .answer(let answer)): self = .result((answer.age ?? 0) > 0 ? .cached : .stands)
        case (.hidden, .answer(let answer)): self = .result(.hidden(answer.status))
        case (.outage, .answer(let answer)): self = .result(.outage(answer.status))
        case (_, .answer(let answer)): self = .result(.notShown(answer.status))
        case (_, .failure): self = .result(.outage(0))
        }
    }

    /// What others who wait for it get; with nil they decide anew.
    package var shared: ConfirmationResult? {
        guard case .result(let result) = self else { return nil }
        return result
    }
}
