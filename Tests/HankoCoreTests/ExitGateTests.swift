@testable import HankoCore
import Synchronization
import Testing

@Suite struct ExitGateTests {
    /// What several threads tell each other.
    private final class Board: Sendable {
        let inside = Atomic<Int>(0)
        let entered = Atomic<Int>(0)
        let refused = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        let wakes = Atomic<Int>(0)
    }

    @Test func anOpenGateLetsEveryoneIn() {
        let gate = ExitGate()
        #expect(!gate.isClosed)
        for _ in 0..<10 { #expect(gate.enter()) }
        for _ in 0..<10 { gate.leave() }
        #expect(gate.enter())
        gate.leave()
    }

    @Test func afterItWasClosedNobodyEnters() {
        let gate = ExitGate()
        gate.close {}
        #expect(gate.isClosed)
        for _ in 0..<10 { #expect(!gate.enter()) }
        // Those who were refused are not inside: closing again has nobody to wait for.
        var wakes = 0
        gate.close { wakes += 1 }
        #expect(wakes == 1)
    }

    /// A thread that sleeps outside until something happens must learn of it.
    @Test func withNobodyInsideItWakesOnceAllTheSame() {
        let gate = ExitGate()
        #expect(gate.enter())
        gate.leave()
        var wakes = 0
        gate.close { wakes += 1 }
        #expect(wakes == 1)
    }

    @Test func whoeverIsInsideIsWokenAndWaitedFor() throws {
        let gate = ExitGate()
        let board = Board()
        let crew = try #require(
            Crew.start(4) { _ in
                guard gate.enter() else { return }
                board.inside.add(1, ordering: .sequentiallyConsistent)
                // Until woken, and for some wakes longer: one of them may come too early for a thread.
                _ = comesTrue { board.wakes.load(ordering: .sequentiallyConsistent) >= 3 }
                board.inside.subtract(1, ordering: .sequentiallyConsistent)
                gate.leave()
            })
        #expect(comesTrue { board.inside.load(ordering: .sequentiallyConsistent) == 4 })
        gate.close {
            #expect(gate.isClosed)
            board.wakes.add(1, ordering: .sequentiallyConsistent)
        }
        // It wakes again and again until they are out.
        #expect(board.wakes.load(ordering: .sequentiallyConsistent) >= 3)
        #expect(board.inside.load(ordering: .sequentiallyConsistent) == 0)
        #expect(!gate.enter())
        crew.wait()
    }

    @Test func closingWhileThreadsComeAndGoLeavesNobodyInside() throws {
        for _ in 0..<20 {
            let gate = ExitGate()
            let board = Board()
            let crew = try #require(
                Crew.start(4) { _ in
                    while !board.isOver.load(ordering: .sequentiallyConsistent) {
                        guard gate.enter() else {
                            board.refused.add(1, ordering: .sequentiallyConsistent)
                            continue
                        }
                        board.inside.add(1, ordering: .sequentiallyConsistent)
                        board.entered.add(1, ordering: .sequentiallyConsistent)
                        board.inside.subtract(1, ordering: .sequentiallyConsistent)
                        gate.leave()
                    }
                })
            #expect(comesTrue { board.entered.load(ordering: .sequentiallyConsistent) >= 100 })
            gate.close {}
            let inside = board.inside.load(ordering: .sequentiallyConsistent)
            let entered = board.entered.load(ordering: .sequentiallyConsistent)
            let refused = board.refused.load(ordering: .sequentiallyConsistent)
            #expect(inside == 0)
            // They keep trying, and none gets in any more.
            #expect(comesTrue { board.refused.load(ordering: .sequentiallyConsistent) >= refused + 100 })
            #expect(board.entered.load(ordering: .sequentiallyConsistent) == entered)
            board.isOver.store(true, ordering: .sequentiallyConsistent)
            crew.wait()
        }
    }
}

/// Waits for what other threads do, with so much patience that only what never comes is missed.
private func comesTrue(_ condition: () -> Bool) -> Bool {
    for _ in 0..<100_000 {
        if condition() { return true }
        Clock.sleep(until: Clock.monotonicNanoseconds() + 100_000)
    }
    return false
}
