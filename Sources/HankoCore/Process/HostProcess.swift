import Synchronization

/// What the library keeps for the process that loaded it: libcurl, the log, and the client of `hanko_validate`, which
/// takes its configuration from the environment.
package final class HostProcess: @unchecked Sendable {
    /// What the environment, as it was last read, is good for.
    private enum Setting {
        case client(Client)
        case problem(ClientError, Log)
    }

    private let lock = Lock()
    private let logLimiter = SharedLogLimiter()
    private let gate = ExitGate()
    private let sockets = SocketRegistry()
    private var library: CurlLibrary?
    private let environmentLock = Lock()
    private var environment: Environment?
    private var setting: Setting?

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
        environmentLock.lock()
        lock.lock()
        sockets.hold()
    }

    func releaseInParent() {
        sockets.release()
        lock.unlock()
        environmentLock.unlock()
    }

    func closeInChild() {
        sockets.closeAllInChild()
        lock.unlock()
        environmentLock.unlock()
    }

    // MARK: Calls

    /// Checks and initialises libcurl.
    package func initialize() -> CallResult {
        do {
            _ = try resources()
            return .ok
        } catch {
            return error.result
        }
    }

    /// Asks whether a token is valid, with the configuration of the environment.
    package func validate(_ token: ByteView) -> CallResult {
        if let reason = SessionToken.refusal(of: token) {
            // Nothing is read from the environment for these, so nothing is logged either: the level is not known.
            return CallResult(status: reason.status, text: reason.text)
        }
        guard Memory.isAvailable else { return Memory.shortage.result }
        switch currentSetting() {
        case .client(let client):
            return client.validateChecked(token, wantsSession: false)
        case .problem(let error, let log):
            log.write(.error, status: error.status, code: 0, error.problem)
            return error.result
        }
    }

    /// What all clients of this process share.
    ///
    /// - Throws: why libcurl cannot be used.
    func resources() throws(ClientError) -> ProcessResources {
        lock.lock()
        defer { lock.unlock() }
        if let library {
            return ProcessResources(library: library, sockets: sockets, gate: gate, logLimiter: logLimiter)
        }
        let fresh = try CurlLibrary()
        library = fresh
        // Registered after OpenSSL's own, which libcurl's initialisation brings, this runs before it.
        ExitHandler.register()
        return ProcessResources(library: fresh, sockets: sockets, gate: gate, logLimiter: logLimiter)
    }

    /// The process exits: nobody may be inside of libcurl when OpenSSL frees what it has.
    func closeForExit() {
        gate.close { sockets.shutDownAll() }
    }

    // MARK: The environment

    private func currentSetting() -> Setting {
        environmentLock.lock()
        if let environment, let setting, environment.isCurrent() {
            environmentLock.unlock()
            return setting
        }
        let old = setting
        let read = Environment.ofProcess()
        let fresh = makeSetting(read)
        // A shortage may be over at the next call; everything else stays until a variable changes.
        if case .problem(let error, _) = fresh, error.isShortage {
            environment = nil
        } else {
            environment = read
        }
        setting = fresh
        environmentLock.unlock()
        // The old client closes its connections when nobody uses it any more; not under the lock.
        withExtendedLifetime(old) {}
        return fresh
    }

    private func makeSetting(_ environment: Environment) -> Setting {
        var configuration = Configuration()
        if let problem = configuration.load(environment) {
            return .problem(problem, Log(configuration, limiter: logLimiter))
        }
        do {
            return .client(try Client.make(configuration))
        } catch {
            return .problem(error, Log(configuration, limiter: logLimiter))
        }
    }
}
