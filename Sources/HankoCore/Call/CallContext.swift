import Synchronization

/// What the calls of one client share in one process: connections, counters, what was learnt about the server's health.
/// A forked child leaves its parent's behind and starts with a new one.
final class CallContext: @unchecked Sendable {
    let settings: ConnectionSettings
    let limit: ConnectionLimit
    let pool = ConnectionPool()
    let writer: RequestWriter
    let breaker = Locked(CircuitBreaker())
    let confirmations = SharedConfirmationBoard()
    let statistics = Statistics()
    let log: Log
    private let hasToldOfHiddenKeySet = Atomic(false)

    var configuration: Configuration { settings.configuration }
    var process: ProcessResources { settings.process }

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources) {
        settings = ConnectionSettings(configuration, url: url, process: process)
        writer = url.writer
        limit = ConnectionLimit(
            maximumInUse: Int(configuration.maximumConnections), maximumWaiting: Int(configuration.maximumWaiting))
        log = Log(configuration.logTarget, threshold: configuration.logLevel, limiter: process.logLimiter)
    }

    /// Ends a call for which nothing was asked. Only validations are counted.
    func refuse(_ reason: VerdictReason, _ purpose: CallProgress.Purpose = .validation) -> CallResult {
        if purpose == .validation {
            statistics.validationBegan()
            statistics.validationEnded(reason.status)
        }
        return conclude(reason, session: nil, nil)
    }

    /// Logs how a call ended, and makes its result.
    ///
    /// - Parameter id: of the request that was sent last; nil when none was.
    @inline(never)
    func conclude(_ reason: VerdictReason, session: Session?, _ id: RequestID?) -> CallResult {
        report(reason, id)
        return CallResult(status: reason.status, text: text(of: reason, id), session: session)
    }

    /// Logs how a call ended.
    ///
    /// - Parameter id: of the request that was sent last; nil when none was.
    @inline(never)
    func report(_ reason: VerdictReason, _ id: RequestID?) {
        // No text is made unless somebody reads it.
        guard log.takes(reason.logLevel) else { return }
        log.write(
            reason.logLevel, status: reason.status, code: reason.code,
            (reason == .accepted ? reason.text : text(of: reason, nil)) + Self.text(of: id))
    }

    /// Notes, and says once, that no outage can be seen, because the key set was answered with this HTTP status.
    @inline(never)
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
    ///
    /// - Parameter id: of the request that was sent last; nil when none was. It is told where Hanko's own log may say more.
    @inline(never)
    func text(of reason: VerdictReason, _ id: RequestID?) -> String {
        switch reason.status {
        case .ok: return ""
        case .unavailable, .protocolError: return reason.text + Self.text(of: id)
        default: break
        }
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

    @inline(never)
    private static func text(of id: RequestID?) -> String {
        guard let id else { return "" }
        return " (X-Request-Id: \(id.text))"
    }
}
