/// Validation for event loops: calls are handed over and carried out in the background, and what comes of each is taken
/// when a descriptor is readable. It may be used from any number of threads, in the process in which it was made.
package final class CompletionQueue: @unchecked Sendable {
    /// What came of one call.
    package struct Completion {
        package let tag: UInt64
        package let status: Status
        /// For logs; empty after success.
        package let text: String
        package let session: Session?
    }

    // By hand, because a forked child must not release what it inherited.
    private let core: Unmanaged<ClientCore>
    private let completions: Unmanaged<Completions>
    private let worker: QueueWorker

    init(_ core: ClientCore, _ completions: Completions, _ worker: QueueWorker) {
        self.core = .passRetained(core)
        self.completions = .passRetained(completions)
        self.worker = worker
    }

    deinit {
        let core = core.takeUnretainedValue()
        let completions = completions.takeUnretainedValue()
        guard core.isOfThisProcess else {
            completions.closeInChild()
            return
        }
        completions.close()
        worker.cancelAll(of: completions)
        self.completions.release()
        self.core.release()
    }

    private var liveCore: ClientCore? {
        let core = core.takeUnretainedValue()
        return core.isOfThisProcess ? core : nil
    }

    private static var isInherited: CallResult {
        .invalidArgument("the queue belongs to the process that was forked; make a new one")
    }

    /// Readable while completions wait; -1 in a forked child.
    package var descriptor: Int32 { liveCore == nil ? -1 : completions.takeUnretainedValue().descriptor }

    // MARK: Submitting

    /// Hands over a token. With `.ok` exactly one completion follows, otherwise none.
    package func submit(_ token: ByteView, tag: UInt64) -> CallResult {
        guard let core = liveCore else { return Self.isInherited }
        do {
            return submit(Credentials(try SessionToken(token)), .validation, tag: tag, core)
        } catch {
            return core.context.refuse(VerdictReason(error))
        }
    }

    /// Finds the token in headers and hands it over.
    package func submit(cookie: ByteView, authorization: ByteView, tag: UInt64) -> CallResult {
        guard let core = liveCore else { return Self.isInherited }
        let credentials = Credentials(
            cookie: cookie, authorization: authorization, core.context.configuration, now: Clock.secondsSince1970())
        if let refusal = credentials.refusal { return core.context.refuse(refusal) }
        return submit(credentials, .validation, tag: tag, core)
    }

    /// Hands over the start-up test.
    package func submitCheck(tag: UInt64) -> CallResult {
        guard let core = liveCore else { return Self.isInherited }
        return submit(Credentials(StartupCheck.token), .check, tag: tag, core)
    }

    private func submit(
        _ credentials: Credentials, _ purpose: CallProgress.Purpose, tag: UInt64, _ core: ClientCore
    ) -> CallResult {
        guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage) }
        let context = core.context
        let completions = completions.takeUnretainedValue()
        let progress = CallProgress(context, purpose, candidateCount: credentials.count, wantsSession: true)
        guard
            let submission = Submission.make(credentials, tag: tag, completions: completions, progress: progress)
        else { return context.refuse(.transport(.localShortage), purpose) }
        do {
            try completions.admit(submission)
        } catch {
            return context.refuse(.transport(error), purpose)
        }
        progress.countBegin()
        worker.submit(submission)
        return .ok
    }

    // MARK: Completions

    /// Withdraws all calls of a tag that have not ended yet. They complete all the same.
    package func cancel(tag: UInt64) -> CallResult {
        guard liveCore != nil else { return Self.isInherited }
        worker.cancel(tag, of: completions.takeUnretainedValue())
        return .ok
    }

    /// Takes up to `maximum` completions, oldest first, and calls a function with the number of each.
    ///
    /// - Returns: how many there were.
    package func drain(_ maximum: Int, _ body: (Int, Completion) -> Void) -> Int {
        guard let context = liveCore?.context else { return 0 }
        var index = 0
        return completions.takeUnretainedValue().drain(maximum) { submission in
            let reason = submission.reason
            body(
                index,
                Completion(
                    tag: submission.tag, status: reason.status, text: context.text(of: reason),
                    session: submission.session))
            index &+= 1
        }
    }
}
