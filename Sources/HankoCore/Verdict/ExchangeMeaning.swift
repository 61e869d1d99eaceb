/// What the end of an exchange means, as one table: a row for each HTTP status, and one for each failure of the transport.
///
/// Reason, circuit breaker, retry, connection and key set read their part here and nowhere else.
package struct ExchangeMeaning: Equatable {
    /// Which reason a validation gets.
    package enum Reason {
        /// The body of the answer decides.
        case body
        /// A token whose claims Hanko cannot read, if the answer has that shape of Hanko's; otherwise a wrong address.
        case claimsOrAddress
        /// The token's length, if it is extraordinary; otherwise a wrong address.
        case lengthOrAddress
        case serverFailed
        case wrongAddress
        case unexpectedStatus
        /// The failure itself.
        case failure
    }

    /// What it says about the health of the server, whatever it says about the token.
    package enum Health {
        case success
        case failure
        /// A failure, if the exchange had at least half of the configured time.
        case failureIfItHadTime
        /// Nothing: it did not get that far, or it was this machine's own doing.
        case nothing
    }

    /// Whether the request may be sent again: only where Hanko cannot have answered it.
    package enum Retry {
        case never
        case afterPause
        /// After the time in `Retry-After`, if the answer has one.
        case whenAsked
        /// After the time in `Retry-After`, or else after a pause.
        case whenAskedOrAfterPause
    }

    /// Whether the connection may serve another request once the answer was read to its declared end.
    package enum Reuse {
        case kept
        /// Only where the body has the shape of Hanko's own.
        case keptInHankosShape
        case closed
    }

    /// What it says where the key set was asked for.
    package enum KeySet {
        /// Hanko can show its keys.
        case shown
        /// A gateway keeps them from everybody or from this machine.
        case hidden
        /// Something answers otherwise than Hanko does.
        case notShown
        /// Hanko cannot show its keys, or cannot be asked for them.
        case outage
        /// The caller's own time was over.
        case late
        /// Nothing.
        case nothing
    }

    package let reason: Reason
    package let health: Health
    package let retry: Retry
    /// A connection that was kept from an earlier exchange was dead: the same request goes out on a fresh one at once.
    package let isDeadIfKept: Bool
    package let reuse: Reuse
    package let keySet: KeySet

    private init(
        _ reason: Reason, _ health: Health, _ retry: Retry, isDeadIfKept: Bool = false, _ reuse: Reuse,
        _ keySet: KeySet
    ) {
        self.reason = reason
        self.health = health
        self.retry = retry
        self.isDeadIfKept = isDeadIfKept
        self.reuse = reuse
        self.keySet = keySet
    }

    /// Whether the reason needs the body of the answer; otherwise nobody waits for it.
    package var needsBody: Bool { reason == .body || reason == .claimsOrAddress }

    /// The row of an HTTP status.
    package static func of(status: Int) -> ExchangeMeaning {
        // Any complete answer but those of a server that failed is a success, else odd tokens could open the breaker.
        switch status {
        case 200: ExchangeMeaning(.body, .success, .never, .kept, .shown)
        case 201...299: ExchangeMeaning(.unexpectedStatus, .success, .never, .kept, .shown)
        case 400: ExchangeMeaning(.claimsOrAddress, .success, .never, .keptInHankosShape, .notShown)
        case 401, 403, 404, 405, 410: ExchangeMeaning(.wrongAddress, .success, .never, .kept, .hidden)
        // What a server says as well when a kept connection has been idle for too long for it (RFC 9110 section 15.5.9).
        case 408: ExchangeMeaning(.serverFailed, .failure, .never, isDeadIfKept: true, .closed, .outage)
        // The server has not read the request to its end.
        case 413, 431: ExchangeMeaning(.lengthOrAddress, .success, .never, .closed, .notShown)
        case 425: ExchangeMeaning(.serverFailed, .failure, .never, .kept, .outage)
        case 429: ExchangeMeaning(.serverFailed, .failure, .whenAsked, .kept, .outage)
        case 300...499: ExchangeMeaning(.wrongAddress, .success, .never, .kept, .notShown)
        case 502, 503, 504: ExchangeMeaning(.serverFailed, .failure, .whenAskedOrAfterPause, .kept, .outage)
        case 500...599: ExchangeMeaning(.serverFailed, .failure, .never, .kept, .outage)
        // 101 is the end of HTTP on its connection, and a status that does not exist may be anything.
        default: ExchangeMeaning(.unexpectedStatus, .success, .never, .closed, .notShown)
        }
    }

    /// The row of a failure.
    package static func of(_ failure: TransportFailure) -> ExchangeMeaning {
        switch failure {
        case .deadline: ExchangeMeaning(.failure, .failureIfItHadTime, .never, .closed, .late)
        case .connect: ExchangeMeaning(.failure, .failure, .afterPause, .closed, .outage)
        case .resolve, .connectTimeout, .proxy, .proxyRefused, .certificate, .tls:
            ExchangeMeaning(.failure, .failure, .never, .closed, .outage)
        // Before the first byte of an answer.
        case .connectionReset, .emptyReply:
            ExchangeMeaning(.failure, .failure, .afterPause, isDeadIfKept: true, .closed, .outage)
        // Within the answer.
        case .connectionLost, .bodyCutShort: ExchangeMeaning(.failure, .failure, .never, .closed, .outage)
        case .unaskedBytes: ExchangeMeaning(.failure, .nothing, .never, isDeadIfKept: true, .closed, .nothing)
        case .notHTTP, .certificateFile, .localShortage, .processExits, .breakerOpen, .tooManyWaiting, .queueFull,
            .unusableLibrary, .other:
            ExchangeMeaning(.failure, .nothing, .never, .closed, .nothing)
        }
    }

    /// The row of an end.
    package static func of(_ end: ExchangeEnd) -> ExchangeMeaning {
        switch end {
        case .answer(let answer): of(status: answer.status)
        case .failure(let failure): of(failure)
        }
    }
}
