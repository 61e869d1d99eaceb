/// Asks one Hanko, with one configuration, from any number of threads.
final class Client: @unchecked Sendable {
    private let configuration: Configuration
    private let transport: BlockingTransport
    private let log: Log

    init(_ configuration: Configuration, url: APIURL, library: CurlLibrary, sockets: SocketRegistry, log: Log) {
        self.configuration = configuration
        self.log = log
        transport = BlockingTransport(
            pool: HandlePool(configuration, url: url, tlsLibrary: library.tlsLibrary, sockets: sockets),
            audiences: configuration.audiences)
    }

    /// Asks whether a token is valid.
    ///
    /// - Parameter token: has passed `SessionToken.refusal`.
    func validate(_ token: ByteView) -> CallResult {
        let deadline = Deadline(
            milliseconds: configuration.timeoutMilliseconds, after: Clock.monotonicNanoseconds())
        let reason = transport.validate(token, until: deadline) { end in noteReplacement(end) }
        return result(of: reason)
    }

    private func result(of reason: VerdictReason) -> CallResult {
        // A yes is the ordinary case: no text is made for it unless somebody reads it.
        if reason == .accepted, configuration.logLevel < .debug { return .ok }
        var text = reason.text
        if reason == .audienceMismatch {
            text += ": "
            var isFirst = true
            for audience in configuration.audiences {
                if !isFirst { text += ", " }
                isFirst = false
                text += audience.withUnsafeBufferPointer { ByteView($0).text() }
            }
        }
        log.write(
            reason.logLevel, threshold: configuration.logLevel, status: reason.status,
            code: Int32(truncatingIfNeeded: reason.code), text)
        return reason == .accepted ? .ok : CallResult(status: reason.status, text: text)
    }

    /// A kept connection that the server closed meanwhile is nothing special; one on which it spoke unasked is.
    private func noteReplacement(_ end: ExchangeEnd) {
        guard case .failure(.unaskedBytes) = end else { return }
        log.write(
            .warning, threshold: configuration.logLevel, status: .protocolError, code: 0,
            TransportFailure.unaskedBytes.text)
    }
}
