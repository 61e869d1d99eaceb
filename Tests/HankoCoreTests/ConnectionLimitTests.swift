@testable import HankoCore
import Synchronization
import Testing

@Suite struct ConnectionLimitTests {
    @Test func whoComesBeyondItIsWokenInItsTurn() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        let woken = Atomic<Int>(0)
        #expect(limit.enter(orWake: {}) == nil)
        // Never refused, however few may wait.
        #expect(limit.enter(orWake: { woken.add(1, ordering: .relaxed) }) != nil)
        #expect(limit.enter(orWake: { woken.add(10, ordering: .relaxed) }) != nil)
        limit.leave()
        #expect(woken.load(ordering: .relaxed) == 1)
        limit.leave()
        #expect(woken.load(ordering: .relaxed) == 11)
        limit.leave()
        #expect(limit.enter(orWake: {}) == nil)
    }

    @Test func aPlaceInLineCanBeGivenUpUntilTheTurnHasCome() throws {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        #expect(limit.enter(orWake: {}) == nil)
        let first = try #require(limit.enter(orWake: { Issue.record("woken") }))
        let second = try #require(limit.enter(orWake: {}))
        #expect(limit.giveUp(first))
        limit.leave()
        #expect(!limit.giveUp(second))
    }

    @Test func whoBlocksIsRefusedBeyondTheLine() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        let past = Deadline(nanoseconds: 0)
        #expect(throws: Never.self) { try limit.enter(until: past) }
        #expect(throws: TransportFailure.tooManyWaiting) { try limit.enter(until: past) }
    }

    @Test func whoBlocksGivesUpAtTheDeadline() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 1)
        let past = Deadline(nanoseconds: 0)
        #expect(throws: Never.self) { try limit.enter(until: past) }
        #expect(throws: TransportFailure.deadline) { try limit.enter(until: past) }
        limit.leave()
        #expect(throws: Never.self) { try limit.enter(until: past) }
    }
}
