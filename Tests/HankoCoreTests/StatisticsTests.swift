@testable import HankoCore
import Testing

@Suite struct StatisticsTests {
    private static func results(_ statistics: Statistics) -> [UInt64] {
        (0..<Statistics.resultCount).map { statistics.results(at: $0) }
    }

    @Test func theyBeginAtZero() {
        let statistics = Statistics()
        #expect(Statistics.resultCount == 16)
        #expect(Self.results(statistics).allSatisfy { $0 == 0 })
        #expect(statistics.requests == 0 && statistics.retries == 0 && statistics.connectionsOpened == 0)
        #expect(statistics.breakerOpenedCount == 0 && statistics.inFlight == 0 && statistics.hiddenKeySet == 0)
    }

    @Test(arguments: Status.allCases)
    func aValidationIsInFlightUntilItEnds(_ status: Status) {
        let statistics = Statistics()
        statistics.validationBegan()
        statistics.validationBegan()
        #expect(statistics.inFlight == 2)
        #expect(Self.results(statistics).allSatisfy { $0 == 0 })
        statistics.validationEnded(status)
        #expect(statistics.inFlight == 1)
        // The index is the number of the C API.
        #expect(Self.results(statistics) == (0..<16).map { $0 == Int(status.rawValue) ? 1 : 0 })
        statistics.validationEnded(status)
        #expect(statistics.inFlight == 0)
        #expect(statistics.results(at: Int(status.rawValue)) == 2)
    }

    @Test func eachCounterIsItsOwn() {
        let statistics = Statistics()
        statistics.sentRequests(3)
        statistics.sentRequests(0)
        statistics.retried()
        statistics.retried()
        statistics.openedConnections(5)
        statistics.breakerOpened()
        #expect(statistics.requests == 3)
        #expect(statistics.retries == 2)
        #expect(statistics.connectionsOpened == 5)
        #expect(statistics.breakerOpenedCount == 1)
        #expect(statistics.inFlight == 0)
        #expect(Self.results(statistics).allSatisfy { $0 == 0 })
    }

    @Test func theLastAnswerThatHidTheKeySetIsKept() {
        let statistics = Statistics()
        for code in [403, 404, 404] {
            statistics.keySetIsHidden(code)
            #expect(statistics.hiddenKeySet == UInt64(code))
        }
        #expect(statistics.inFlight == 0 && statistics.breakerOpenedCount == 0)
    }

    @Test(arguments: [-1, 16, 17, 20, 21, 1_000, Int.min, Int.max])
    func beyondTheResultsThereIsNothing(_ index: Int) {
        let statistics = Statistics()
        statistics.sentRequests(7)
        statistics.retried()
        statistics.openedConnections(7)
        statistics.breakerOpened()
        statistics.validationBegan()
        statistics.keySetIsHidden(403)
        #expect(statistics.results(at: index) == 0)
    }

    @Test func eachObjectCountsForItself() {
        let first = Statistics()
        let second = Statistics()
        first.sentRequests(1)
        #expect(second.requests == 0)
    }

    @Test func nothingIsLostBetweenThreads() throws {
        let statistics = Statistics()
        let rounds = 2_000
        let crew = try #require(
            Crew.start(4) { number in
                for round in 0..<rounds {
                    statistics.validationBegan()
                    statistics.sentRequests(2)
                    if round % 2 == 0 { statistics.retried() }
                    statistics.openedConnections(1)
                    if round % 100 == 0 { statistics.breakerOpened() }
                    statistics.validationEnded(number % 2 == 0 ? .ok : .invalidToken)
                }
            })
        crew.wait()
        #expect(statistics.inFlight == 0)
        #expect(statistics.requests == UInt64(4 * rounds * 2))
        #expect(statistics.retries == UInt64(4 * rounds / 2))
        #expect(statistics.connectionsOpened == UInt64(4 * rounds))
        #expect(statistics.breakerOpenedCount == UInt64(4 * rounds / 100))
        #expect(statistics.results(at: 0) == UInt64(2 * rounds))
        #expect(statistics.results(at: 1) == UInt64(2 * rounds))
    }
}
