/// What the library keeps for the process that loaded it: libcurl, the log, and the client of `hanko_validate`, which
/// takes its configuration from the environment.
package final class HostProcess: @unchecked Sendable {
    /// What the environment, as it was last read, is good for.
    private enum Setting {
        case client(Client)
        case problem(String, LogLevel)
    }

    private let lock = Lock()
    private let log = Log()
    private var library: CurlLibrary?
    private var environment: Environment?
    private var setting = Setting.problem("", .error)

    private init() {}

    // MARK: One for each process

    private static let slot = ForkSlot()

    /// The one of this process. A child that was forked gets its own: it does not touch what it inherited, neither the
    /// connections, which are its parent's, nor the locks, which another thread may have held.
    package static func current() -> HostProcess {
        if let known = slot.value {
            return Unmanaged<HostProcess>.fromOpaque(known).takeUnretainedValue()
        }
        let fresh = Unmanaged.passRetained(HostProcess())
        let kept = slot.setIfEmpty(fresh.toOpaque())
        if kept != fresh.toOpaque() { fresh.release() }
        return Unmanaged<HostProcess>.fromOpaque(kept).takeUnretainedValue()
    }

    // MARK: Calls

    /// Checks and initialises libcurl.
    package func initialize() -> CallResult {
        lock.lock()
        defer { lock.unlock() }
        do {
            _ = try readyLibrary()
            return .ok
        } catch {
            return CallResult(status: .misconfigured, text: error.problem)
        }
    }

    /// Asks whether a token is valid, with the configuration of the environment.
    package func validate(_ token: ByteView) -> CallResult {
        if let reason = SessionToken.refusal(of: token) {
            // Nothing is read from the environment for these, so nothing is logged either: the level is not known.
            return CallResult(status: reason.status, text: reason.text)
        }
        lock.lock()
        let setting = currentSetting()
        lock.unlock()
        switch setting {
        case .client(let client):
            return client.validate(token)
        case .problem(let text, let level):
            log.write(.error, threshold: level, status: .misconfigured, code: 0, text)
            return CallResult(status: .misconfigured, text: text)
        }
    }

    // MARK: Under the lock

    private func currentSetting() -> Setting {
        if let environment, environment.isCurrent() { return setting }
        let read = Environment.ofProcess()
        environment = read
        setting = makeSetting(EnvironmentReading(read))
        return setting
    }

    private func makeSetting(_ reading: EnvironmentReading) -> Setting {
        let level = reading.configuration.logLevel
        if let problem = reading.problem { return .problem(problem, level) }
        do {
            let library = try readyLibrary()
            guard let url = reading.configuration.apiURL else { return .problem("HANKO_API_URL is not set", level) }
            return .client(Client(reading.configuration, url: url, library: library, log: log))
        } catch {
            return .problem(error.problem, level)
        }
    }

    private func readyLibrary() throws(CurlLibraryError) -> CurlLibrary {
        if let library { return library }
        let fresh = try CurlLibrary()
        library = fresh
        return fresh
    }
}
