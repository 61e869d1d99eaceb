import Synchronization

/// Asks one Hanko, with one configuration, from any number of threads, in its process and in forked children.
package final class Client: @unchecked Sendable {
    private let configuration: Configuration
    private let url: APIURL
    /// The address of the core that was made last; another process' core is left alone and replaced.
    private let core: UnsafeMutablePointer<Atomic<UInt>>

    /// Makes a client.
    ///
    /// - Throws: what is wrong with the configuration or with libcurl.
    package static func make(_ configuration: Configuration) throws(ClientError) -> Client {
        guard Memory.isAvailable else { throw ClientError.memoryShortage }
        reportMisspelledVariables(of: configuration)
        let url = try configuration.checkedURL()
        _ = try HostProcess.current().resources()
        var configuration = configuration
        // A token for this machine must not go elsewhere first.
        if !url.isLoopback { configuration.proxy = .ofEnvironment(isHTTPS: url.isHTTPS) }
        // Not a throwing initialiser: Embedded Swift does not free the object of one that fails.
        return Client(configuration, url)
    }

    /// A client with the configuration of the environment.
    package static func ofEnvironment() throws(ClientError) -> Client {
        guard Memory.isAvailable else { throw ClientError.memoryShortage }
        var configuration = Configuration()
        do {
            try configuration.load(Environment.ofProcess())
        } catch {
            reportMisspelledVariables(of: configuration)
            throw error
        }
        return try make(configuration)
    }

    /// One line for each name and process; it goes where the configuration says. Here and not where the environment is
    /// read, because only now the logger is known.
    static func reportMisspelledVariables(of configuration: Configuration) {
        guard !configuration.misspelledVariables.isEmpty else { return }
        let process = HostProcess.current()
        let log = Log(configuration.logTarget, threshold: configuration.logLevel, limiter: process.logLimiter)
        guard log.takes(.error) else { return }
        for variable in configuration.misspelledVariables {
            guard process.misspellingLimiter.with({ $0.admit(variable.name) }) else { continue }
            log.write(.error, status: .misconfigured, code: 0, isLimited: false, variable.text)
        }
    }

    /// Checks and initialises libcurl.
    package static func initialize() -> CallResult {
        guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage) }
        do {
            _ = try HostProcess.current().resources()
            return .ok
        } catch {
            return CallResult(error)
        }
    }

    private init(_ configuration: Configuration, _ url: APIURL) {
        self.configuration = configuration
        self.url = url
        core = .allocate(capacity: 1)
        core.initialize(to: Atomic(0))
    }

    deinit {
        // In a child, a core that it inherited is not touched.
        if let last = ClientCore.object(at: core.pointee.load(ordering: .acquiring)), last.isOfThisProcess {
            Unmanaged.passUnretained(last).release()
        }
        core.deinitialize(count: 1)
        core.deallocate()
    }

    // MARK: Calls

    /// Asks whether a token is valid.
    ///
    /// - Parameter wantsSession: whether somebody wants to know whose it is.
    package func validate(_ token: ByteView, wantsSession: Bool) -> CallResult {
        do {
            return run(.validation, Credentials(try SessionToken(token)), wantsSession: wantsSession)
        } catch {
            return refuse(VerdictReason(error))
        }
    }

    /// Likewise for a token that was looked at, in a call that began at a moment before.
    func validate(_ token: SessionToken, began: Int64) -> CallResult {
        run(
            .validation, Credentials(token), wantsSession: false,
            deadline: Deadline(milliseconds: configuration.timeoutMilliseconds, after: began))
    }

    /// Finds the token in headers and asks whether it is valid.
    package func authenticate(cookie: ByteView, authorization: ByteView, wantsSession: Bool) -> CallResult {
        let credentials = Credentials(
            cookie: cookie, authorization: authorization, configuration, now: Clock.secondsSince1970())
        if let refusal = credentials.refusal { return refuse(refusal) }
        return run(.validation, credentials, wantsSession: wantsSession)
    }

    /// Proves that URL, TLS, tenant and clock are right.
    package func check() -> CallResult {
        run(.check, Credentials(StartupCheck.token), wantsSession: false)
    }

    /// The counters of this process.
    ///
    /// - Throws: why there are none.
    package func statistics() throws(ClientError) -> Statistics { try currentCore().context.statistics }

    /// Makes a completion queue, and the background thread with the first.
    ///
    /// - Throws: why there can be none.
    package func makeQueue() throws(ClientError) -> CompletionQueue {
        guard Memory.isAvailable else { throw ClientError.memoryShortage }
        let core = try currentCore()
        let worker = try core.queueWorker()
        guard let completions = Completions.make(core.context.process.descriptors) else {
            throw ClientError.resourceShortage
        }
        return CompletionQueue(core, completions, worker)
    }

    private func run(
        _ purpose: CallProgress.Purpose, _ credentials: Credentials, wantsSession: Bool, deadline: Deadline? = nil
    ) -> CallResult {
        guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage) }
        do {
            let context = try currentCore().context
            let progress = context.progress(
                purpose, candidateCount: credentials.count, wantsSession: wantsSession, deadline: deadline)
            var call = BlockingCall(context, credentials, progress)
            return call.run()
        } catch {
            return CallResult(error)
        }
    }

    /// Ends a call for which nothing was asked.
    private func refuse(_ reason: VerdictReason) -> CallResult {
        do {
            return try currentCore().context.refuse(reason)
        } catch {
            return CallResult(reason)
        }
    }

    // MARK: The core of this process

    private func currentCore() throws(ClientError) -> ClientCore {
        try ClientCore.current(at: core.pointee) { (generation) throws(ClientError) in
            // Not every caller has asked.
            guard Memory.isAvailable else { throw ClientError.memoryShortage }
            let process = try HostProcess.current().resources()
            return ClientCore(CallContext(configuration, url: url, process: process), generation: generation)
        }
    }
}
