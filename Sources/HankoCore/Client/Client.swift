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
        if let problem = configuration.problem { throw ClientError(problem: problem) }
        guard let url = configuration.apiURL else { throw ClientError(problem: "there is no API URL") }
        _ = try HostProcess.current().resources()
        // Not a throwing initialiser: Embedded Swift does not free the object of one that fails.
        return Client(configuration, url)
    }

    /// A client with the configuration of the environment.
    package static func ofEnvironment() throws(ClientError) -> Client {
        var configuration = Configuration()
        if let problem = configuration.load(Environment.ofProcess()) { throw problem }
        return try make(configuration)
    }

    private init(_ configuration: Configuration, _ url: APIURL) {
        self.configuration = configuration
        self.url = url
        core = .allocate(capacity: 1)
        core.initialize(to: Atomic(0))
    }

    deinit {
        let address = core.pointee.load(ordering: .acquiring)
        if let pointer = UnsafeRawPointer(bitPattern: address) {
            let last = Unmanaged<ClientCore>.fromOpaque(pointer)
            // In a child, a core that it inherited is not touched: its connections are the parent's.
            if last.takeUnretainedValue().generation == ForkGeneration.current() { last.release() }
        }
        core.deinitialize(count: 1)
        core.deallocate()
    }

    // MARK: Calls

    /// Asks whether a token is valid.
    ///
    /// - Parameter wantsSession: whether somebody wants to know whose it is.
    package func validate(_ token: ByteView, wantsSession: Bool) -> CallResult {
        if let refusal = SessionToken.refusal(of: token) { return finish(refusal) }
        return validateChecked(token, wantsSession: wantsSession)
    }

    /// Likewise for a token that has passed `SessionToken.refusal`.
    func validateChecked(_ token: ByteView, wantsSession: Bool) -> CallResult {
        ask(Credentials(token: token), wantsSession: wantsSession)
    }

    /// Finds the token in headers and asks whether it is valid.
    package func authenticate(cookie: ByteView, authorization: ByteView, wantsSession: Bool) -> CallResult {
        let credentials = configuration.cookieName.withUnsafeBufferPointer {
            Credentials(cookie: cookie, authorization: authorization, cookieName: ByteView($0))
        }
        if credentials.holdNUL { return finish(.headerHoldsNUL) }
        if credentials.count == 0 { return finish(.noToken) }
        return ask(credentials, wantsSession: wantsSession)
    }

    /// Proves that URL, TLS, tenant and clock are right.
    package func check() -> CallResult {
        do {
            let core = try currentCore()
            var call = BlockingCall(
                core, Credentials(token: ByteView("libhanko-check")), wantsSession: false, passesBreaker: true)
            return result(of: checkReason(&call), session: nil, core)
        } catch {
            return CallResult(error)
        }
    }

    private func checkReason(_ call: inout BlockingCall) -> VerdictReason {
        let reason = call.run().reason
        switch reason {
        case .rejected: break
        case .accepted: return .acceptsAnything
        case .expired, .userUnusable, .expiryUnreadable: return .acceptsAnything
        default: return reason
        }
        if let ahead = Verdict.clockOffset(now: Clock.secondsSince1970(), serverDate: call.serverDate) {
            return .clockOff(seconds: ahead)
        }
        switch call.askForKeySet() {
        case .stands: return .accepted
        case .outage(let code) where code >= 200 && code < 300 && !configuration.confirmsRejections: return .accepted
        case .notShown where !configuration.confirmsRejections: return .accepted
        case .outage(let code): return .notConfirmed(code)
        case .notShown(let code): return .keySetNotShown(code)
        }
    }

    /// The counters of this process.
    ///
    /// - Throws: why there are none.
    package func statistics() throws(ClientError) -> Statistics { try currentCore().statistics }

    // MARK: Results

    private func ask(_ credentials: Credentials, wantsSession: Bool) -> CallResult {
        guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage) }
        do {
            let core = try currentCore()
            core.statistics.validationBegan()
            var call = BlockingCall(core, credentials, wantsSession: wantsSession)
            let judgement = call.run()
            core.statistics.validationEnded(judgement.reason.status)
            return result(of: judgement.reason, session: judgement.session, core)
        } catch {
            return CallResult(error)
        }
    }

    /// Ends a call for which nothing was asked.
    private func finish(_ reason: VerdictReason) -> CallResult {
        do {
            let core = try currentCore()
            core.statistics.validationBegan()
            core.statistics.validationEnded(reason.status)
            return result(of: reason, session: nil, core)
        } catch {
            return CallResult(status: reason.status, text: reason.text)
        }
    }

    private func result(of reason: VerdictReason, session: Session?, _ core: ClientCore) -> CallResult {
        // A yes is the ordinary case: no text is made for it unless somebody reads it.
        if reason == .accepted, !core.log.takes(.debug) { return CallResult(status: .ok, text: "", session: session) }
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
        core.log.write(reason.logLevel, status: reason.status, code: reason.code, text)
        if reason == .accepted { text = "" }
        return CallResult(status: reason.status, text: text, session: session)
    }

    // MARK: The core of this process

    private func currentCore() throws(ClientError) -> ClientCore {
        let generation = ForkGeneration.current()
        var found = core.pointee.load(ordering: .acquiring)
        while true {
            if let pointer = UnsafeRawPointer(bitPattern: found) {
                let known = Unmanaged<ClientCore>.fromOpaque(pointer).takeUnretainedValue()
                if known.generation == generation { return known }
            }
            let process = try HostProcess.current().resources()
            let fresh = Unmanaged.passRetained(
                ClientCore(configuration, url: url, process: process, generation: generation))
            let (won, other) = core.pointee.compareExchange(
                expected: found, desired: UInt(bitPattern: fresh.toOpaque()), ordering: .acquiringAndReleasing)
            if won { return fresh.takeUnretainedValue() }
            fresh.release()
            found = other
        }
    }
}
