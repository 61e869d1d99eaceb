@testable import HankoCore
import Synchronization
import Testing

@Suite struct ConnectionLimitTests {
    @Test func whoComesBeyondItIsWokenInItsTurn() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        let woken = Atomic<Int>(0)
        #expect(limit.acquire(orWake: {}) == nil)
        // Never refused, however few may wait.
        #expect(limit.acquire(orWake: { woken.add(1, ordering: .relaxed) }) != nil)
        #expect(limit.acquire(orWake: { woken.add(10, ordering: .relaxed) }) != nil)
        limit.release()
        #expect(woken.load(ordering: .relaxed) == 1)
        limit.release()
        #expect(woken.load(ordering: .relaxed) == 11)
        limit.release()
        #expect(limit.acquire(orWake: {}) == nil)
    }

    @Test func aPlaceInLineCanBeGivenUpUntilTheTurnHasCome() throws {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        #expect(limit.acquire(orWake: {}) == nil)
        let first = try #require(limit.acquire(orWake: { Issue.record("woken") }))
        let second = try #require(limit.acquire(orWake: {}))
        #expect(limit.giveUp(first))
        limit.release()
        #expect(!limit.giveUp(second))
    }

    @Test func whoBlocksIsRefusedBeyondTheLine() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 0)
        let past = Deadline(nanoseconds: 0)
        #expect(throws: Never.self) { try limit.acquire(until: past) }
        #expect(throws: TransportFailure.tooManyWaiting) { try limit.acquire(until: past) }
    }

    @Test func whoBlocksGivesUpAtTheDeadline() {
        let limit = ConnectionLimit(maximumInUse: 1, maximumWaiting: 1)
        let past = Deadline(nanoseconds: 0)
        #expect(throws: Never.self) { try limit.acquire(until: past) }
        #expect(throws: TransportFailure.deadline) { try limit.acquire(until: past) }
        limit.release()
        #expect(throws: Never.self) { try limit.acquire(until: past) }
    }
}
