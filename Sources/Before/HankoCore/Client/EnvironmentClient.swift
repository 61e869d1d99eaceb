import Synchronization

/// The client of `hanko_validate`: one for each process, with the configuration of its environment, made anew when a
/// variable has changed.
package final class EnvironmentClient: ProcessOwned, @unchecked Sendable {
    /// What the environment, as it was last read, is good for: a client, or why there is none.
    ///
    /// An object, and bytes in place of a String: what leak checkers of the host look for are plain addresses, and Swift
    /// puts marks into those of strings and of enums with payloads.
    private final class Setting: Sendable {
        let client: Client?
        let problem: [UInt8]
        let isShortage: Bool
        let log: Log?

        init(_ client: Client) {
            self.client = client
            problem = []
            isShortage = false
            log = nil
        }

        init(_ error: ClientError, _ log: Log) {
            client = nil
            problem = [UInt8](error.problem.utf8)
            isShortage = error.isShortage
            self.log = log
        }

        var error: ClientError {
            let text = problem.withUnsafeBufferPointer { ByteView($0).text() }
            return ClientError(problem: text, isShortage: isShortage)
        }
    }

    private let lock = Lock()
    /// A thread has made what another one waits for.
    private let made = Signal()
    private var isMaking = false
    private var environment: WatchedEnvironment?
    private var setting: Setting?
    let generation: UInt

    private init(generation: UInt) { self.generation = generation }

    // MARK: One for each process

    /// The address of the one that was made last; never freed, because a child that forks off may still hold its
    /// parent's.
    private static let known = Atomic<UInt>(0)

    /// The one of this process.
    private static func current() -> EnvironmentClient {
        current(at: known) { EnvironmentClient(generation: $0) }
    }

    // MARK: Calls

    /// Asks whether a token is valid.
    package static func validate(_ token: ByteView) -> CallResult {
        let checked: SessionToken
        do {
            checked = try SessionToken(token)
        } catch {
            // Nothing is read from the environment for these, so nothing is logged either: the level is not known.
            return CallResult(VerdictReason(error))
        }
        guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage) }
        let began = Clock.monotonicNanoseconds()
        guard let setting = current().currentSetting(began: began) else { return late() }
        if let client = setting.client { return client.validate(checked, began: began) }
        let error = setting.error
        setting.log?.write(.error, status: error.status, code: 0, error.problem)
        return CallResult(error)
    }

    // MARK: The environment

    /// What the environment is good for now, made by one thread where that is not known: the file of authorities is read
    /// for it and libcurl initialised, from a disk that may be slow. The others wait, no longer than their calls may take.
    ///
    /// - Parameter began: when the call began.
    /// - Returns: nil when the call's time is up.
    private func currentSetting(began: Int64) -> Setting? {
        var deadline: Deadline?
        lock.lock()
        while true {
            if let environment, let setting, environment.isCurrent() {
                lock.unlock()
                return setting
            }
            guard isMaking else { break }
            let end = deadline ?? Self.deadline(began: began)
            deadline = end
            if end.hasPassed(at: Clock.monotonicNanoseconds()) {
                lock.unlock()
                return nil
            }
            _ = made.wait(lock, until: end)
        }
        isMaking = true
        lock.unlock()
        let read = Environment.ofProcess()
        let fresh = makeSetting(read)
        lock.lock()
        isMaking = false
        let old = setting
        // A shortage may be over at the next call; everything else stays until a variable changes.
        environment = fresh.isShortage ? nil : WatchedEnvironment(read)
        setting = fresh
        made.wakeAll()
        lock.unlock()
        // The old client closes its connections when nobody uses it any more; not under the lock.
        withExtendedLifetime(old) {}
        return fresh
    }

    private func makeSetting(_ environment: Environment) -> Setting {
        var configuration = Configuration()
        do {
            try configuration.load(environment)
            return Setting(try Client.make(configuration))
        } catch {
            Client.reportMisspelledVariables(of: configuration)
            return Setting(error, Self.log(configuration))
        }
    }

    private static func deadline(began: Int64) -> Deadline {
        let configuration = Configuration.forWaiting(Environment.ofProcess())
        return Deadline(milliseconds: configuration.timeoutMilliseconds, after: began)
    }

    /// Ends a call whose time is up before there is a client.
    private static func late() -> CallResult {
        let text =
            "the deadline passed while another thread was reading HANKO_CA_FILE or initialising libcurl; look at the"
            + " disk that they are on"
        log(Configuration.forWaiting(Environment.ofProcess())).write(.error, status: .timeout, code: 0, text)
        return CallResult(status: .timeout, text: text)
    }

    private static func log(_ configuration: Configuration) -> Log {
        Log(configuration.logTarget, threshold: configuration.logLevel, limiter: HostProcess.current().logLimiter)
    }
}
