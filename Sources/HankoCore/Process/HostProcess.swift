import Synchronization

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
    private let sockets = SocketRegistry()
    private var library: CurlLibrary?
    private var environment: Environment?
    private var setting = Setting.problem("", .error)

    private let generation: UInt

    private init(generation: UInt) { self.generation = generation }

    // MARK: One for each process

    /// The address of the one that was made last; 0 before the first. It is never freed: a child that forks off may
    /// still hold its parent's.
    private static let known = Atomic<UInt>(0)

    /// The one of this process. A child that was forked gets its own: it does not touch what it inherited, neither the
    /// connections, which are its parent's, nor the locks, which another thread may have held.
    package static func current() -> HostProcess {
        let generation = ForkGeneration.current()
        var found = known.load(ordering: .acquiring)
        while true {
            if let process = process(at: found), process.generation == generation { return process }
            ForkHandlers.register()
            let fresh = Unmanaged.passRetained(HostProcess(generation: generation))
            let (won, other) = known.compareExchange(
                expected: found, desired: UInt(bitPattern: fresh.toOpaque()), ordering: .acquiringAndReleasing)
            if won { return fresh.takeUnretainedValue() }
            fresh.release()
            found = other
        }
    }

    /// The one of this process if it has been made; a parent's is not given to a child.
    static func ofThisProcess() -> HostProcess? {
        guard let process = process(at: known.load(ordering: .acquiring)),
            process.generation == ForkGeneration.current()
        else { return nil }
        return process
    }

    var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    static func process(at address: UInt) -> HostProcess? {
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { return nil }
        return Unmanaged<HostProcess>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: Around a fork

    func holdForFork() {
        lock.lock()
        sockets.hold()
    }

    func releaseInParent() {
        sockets.release()
        lock.unlock()
    }

    func closeInChild() {
        sockets.closeAllInChild()
        lock.unlock()
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
            return .client(Client(reading.configuration, url: url, library: library, sockets: sockets, log: log))
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
