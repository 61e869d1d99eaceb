import HankoCore

/// Ends of exchanges.
enum Ends {
    static func answer(_ status: Int, _ change: (inout Answer) -> Void = { _ in }) -> ExchangeEnd {
        var answer = Answer()
        answer.status = status
        change(&answer)
        return .answer(answer)
    }

    /// Every failure there is.
    static let failures: [TransportFailure] = [
        .deadline, .resolve, .connect, .connectTimeout, .proxy, .proxyRefused(407), .certificate, .tls,
        .certificateFile, .connectionReset, .connectionLost, .emptyReply, .bodyCutShort, .notHTTP, .unaskedBytes,
        .localShortage, .processExits, .breakerOpen, .tooManyWaiting, .queueFull, .unusableLibrary(4), .other(43),
    ]
}
