import Synchronization

/// What the calls of one client share in one process: connections, counters, what was learnt about the server's health.
/// A forked child leaves its parent's behind and starts with a new one.
final class CallContext: @unchecked Sendable {
    let configuration: Configuration
    let url: APIURL
    let process: ProcessResources
    let limit: ConnectionLimit
    let pool: ExchangePool
    let breaker = SharedCircuitBreaker()
    let confirmations = SharedConfirmationBoard()
    let statistics = Statistics()
    let log: Log
    private let hasToldOfHiddenKeySet = Atomic(false)

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources) {
        self.configuration = configuration
        self.url = url
        self.process = process
        limit = ConnectionLimit(
            maximumInUse: Int(configuration.maximumConnections), maximumWaiting: Int(configuration.maximumWaiting))
        pool = ExchangePool(configuration, url: url, process: process, limit: limit)
        log = Log(configuration.logTarget, threshold: configuration.logLevel, limiter: process.logLimiter)
    }

    /// Ends a call for which nothing was asked. Only validations are counted.
    func refuse(_ reason: VerdictReason, _ purpose: CallProgress.Purpose = .validation) -> CallResult {
        if purpose == .validation {
            statistics.validationBegan()
            statistics.validationEnded(reason.status)
        }
        return conclude(reason, session: nil)
    }

    /// Logs how a call ended, and makes its result.
    func conclude(_ reason: VerdictReason, session: Session?) -> CallResult {
        report(reason)
        return CallResult(status: reason.status, text: text(of: reason), session: session)
    }

    /// Logs how a call ended.
    func report(_ reason: VerdictReason) {
        // No text is made unless somebody reads it.
        guard log.takes(reason.logLevel) else { return }
        log.write(
            reason.logLevel, status: reason.status, code: reason.code,
            reason == .accepted ? reason.text : text(of: reason))
    }

    /// Notes, and says once, that no outage can be seen, because the key set was answered with this HTTP status.
    func tellOfHiddenKeySet(_ code: Int) {
        statistics.keySetIsHidden(code)
        guard log.takes(.error), Memory.isAvailable, !hasToldOfHiddenKeySet.exchange(true, ordering: .relaxed) else {
            return
        }
        let wasWritten = log.write(
            .error, status: .misconfigured, code: code,
            "GET /.well-known/jwks.json was answered with \(code), so outages of Hanko cannot be told apart from rejections;"
                + " let it through, or set HANKO_CONFIRM_REJECTIONS=0 to say that this is wanted")
        // The limit of lines on standard error must not swallow the only one of this kind.
        if !wasWritten { hasToldOfHiddenKeySet.store(false, ordering: .relaxed) }
    }

    /// What `hanko_last_error` says of a reason; empty for a yes.
    func text(of reason: VerdictReason) -> String {
        if reason == .accepted { return "" }
        var text = reason.text
        if reason.isForAudience {
            text += ": "
            var isFirst = true
            for audience in configuration.audiences {
                if !isFirst { text += ", " }
                isFirst = false
                text += audience.withUnsafeBufferPointer { ByteView($0).text() }
            }
        }
        return text
    }
}
