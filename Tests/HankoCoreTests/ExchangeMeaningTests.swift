import HankoCore
import Testing

/// The table of what the end of an exchange means, against the design's words: each column is written here a second time,
/// and by itself.
@Suite struct ExchangeMeaningTests {
    private static let statuses = 100...999

    /// Runs over every row of the statuses.
    private static func forEachStatus(_ check: (Int, ExchangeMeaning) -> Void) {
        for status in statuses { check(status, .of(status: status)) }
    }

    // MARK: Statuses

    @Test func theReasonIsThatOfTheTableOfVerdicts() {
        Self.forEachStatus { status, row in
            let expected: ExchangeMeaning.Reason
            switch status {
            case 200: expected = .body
            case 400: expected = .claimsOrAddress
            case 413, 431: expected = .lengthOrAddress
            case 408, 425, 429, 500...599: expected = .serverFailed
            case 300...499: expected = .wrongAddress
            default: expected = .unexpectedStatus
            }
            #expect(row.reason == expected, "\(status)")
            #expect(row.needsBody == [200, 400].contains(status), "\(status)")
        }
    }

    @Test func aFailureOfTheServerIsWhatTheDesignCallsOne() {
        Self.forEachStatus { status, row in
            let isFailure = [408, 425, 429].contains(status) || status / 100 == 5
            #expect(row.health == (isFailure ? .failure : .success), "\(status)")
            // One word for it: who gets UNAVAILABLE for a status counts it as a failure, and nobody else does.
            #expect((row.reason == .serverFailed) == isFailure, "\(status)")
        }
    }

    @Test func onlyWhatStandsInFrontOfHankoIsAskedAgain() {
        Self.forEachStatus { status, row in
            let expected: ExchangeMeaning.Retry
            switch status {
            case 502, 503, 504: expected = .whenAskedOrAfterPause
            case 429: expected = .whenAsked
            default: expected = .never
            }
            #expect(row.retry == expected, "\(status)")
        }
    }

    @Test func ofTheAnswersOnly408SaysThatAKeptConnectionWasDead() {
        Self.forEachStatus { status, row in #expect(row.isDeadIfKept == (status == 408), "\(status)") }
    }

    @Test func anAnswerThatWasReadToItsEndKeepsItsConnection() {
        Self.forEachStatus { status, row in
            let expected: ExchangeMeaning.Reuse
            switch status {
            case 400: expected = .keptInHankosShape
            // The server may not have read the request to its end; 101 is the end of HTTP; the others are no statuses.
            case 408, 413, 431, 100...199, 600...999: expected = .closed
            default: expected = .kept
            }
            #expect(row.reuse == expected, "\(status)")
        }
    }

    @Test func theKeySetsColumnIsThatOfTheOutageInDisguise() {
        Self.forEachStatus { status, row in
            let expected: ExchangeMeaning.KeySet
            switch status {
            case 200...299: expected = .shown
            case 401, 403, 404, 405, 410: expected = .hidden
            case 408, 425, 429, 500...599: expected = .outage
            default: expected = .notShown
            }
            #expect(row.keySet == expected, "\(status)")
        }
    }

    @Test(arguments: [Int.min, -1, 0, 1, 99, 1_000, Int.max])
    func whatIsNoStatusIsNoAnswerOfHanko(_ status: Int) {
        let row = ExchangeMeaning.of(status: status)
        #expect(row.reason == .unexpectedStatus && row.retry == .never && !row.isDeadIfKept)
        #expect(row.reuse == .closed && row.keySet == .notShown)
    }

    @Test func theRowOfAnAnswerIsThatOfItsStatusWhateverElseItHolds() {
        for status in Self.statuses {
            let row = ExchangeMeaning.of(
                Ends.answer(status) {
                    $0.headTooLarge = true
                    $0.isEarly = true
                    $0.retryAfter = .delay(1)
                    $0.age = 5
                })
            #expect(row == .of(status: status), "\(status)")
        }
    }

    // MARK: Failures

    @Test func noFailureKeepsItsConnectionOrNeedsABody() {
        for failure in Ends.failures {
            let row = ExchangeMeaning.of(.failure(failure))
            #expect(row == .of(failure), "\(failure)")
            #expect(row.reason == .failure && row.reuse == .closed && !row.needsBody, "\(failure)")
        }
    }

    @Test func everyFailureCountsAsTheDesignSays() {
        for failure in Ends.failures {
            let expected: ExchangeMeaning.Health
            switch failure {
            // No connection, TLS, reset; a server that breaks off within its answer resets it.
            case .resolve, .connect, .connectTimeout, .proxy, .proxyRefused, .certificate, .tls, .connectionReset,
                .connectionLost, .emptyReply, .bodyCutShort:
                expected = .failure
            case .deadline:
                expected = .failureIfItHadTime
            // It did not get that far, or it is this machine's own.
            case .certificateFile, .localShortage, .processExits, .breakerOpen, .tooManyWaiting, .queueFull,
                .unusableLibrary, .other, .unaskedBytes:
                expected = .nothing
            // No complete answer of anybody, and no failure that the design names.
            case .notHTTP:
                expected = .nothing
            }
            #expect(ExchangeMeaning.of(failure).health == expected, "\(failure)")
        }
    }

    @Test func onlyWhereHankoCannotHaveAnsweredIsAFailureAskedAgain() {
        for failure in Ends.failures {
            let isRetried: Bool
            switch failure {
            case .connect, .connectionReset, .emptyReply: isRetried = true
            default: isRetried = false
            }
            #expect(ExchangeMeaning.of(failure).retry == (isRetried ? .afterPause : .never), "\(failure)")
        }
    }

    @Test func aKeptConnectionIsDeadWhenItDiesBeforeTheFirstByte() {
        for failure in Ends.failures {
            let isDead: Bool
            switch failure {
            // Whatever began then was no answer to us.
            case .connectionReset, .emptyReply, .unaskedBytes: isDead = true
            default: isDead = false
            }
            #expect(ExchangeMeaning.of(failure).isDeadIfKept == isDead, "\(failure)")
        }
    }

    @Test func aFailureOfTheKeySetIsAnOutageUnlessItSaysNothing() {
        for failure in Ends.failures {
            let row = ExchangeMeaning.of(failure)
            let expected: ExchangeMeaning.KeySet
            switch row.health {
            case .failure: expected = .outage
            case .failureIfItHadTime: expected = .late
            default: expected = .nothing
            }
            #expect(row.keySet == expected, "\(failure)")
        }
    }
}
