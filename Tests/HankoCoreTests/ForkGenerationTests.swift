@testable import HankoCore
import Testing

/// What a forked child sees is tested on the library itself; in one process the number must not change.
@Suite struct ForkGenerationTests {
    @Test func itIsTheSameEveryTime() {
        let first = ForkGeneration.current()
        #expect(first > 0)
        for _ in 0..<1_000 { #expect(ForkGeneration.current() == first) }
    }

    @Test func itIsTheSameOnAllThreads() throws {
        let wrong = Wrongs()
        let first = ForkGeneration.current()
        let crew = try #require(
            Crew.start(4) { _ in
                for _ in 0..<1_000 where ForkGeneration.current() != first { wrong.note() }
            })
        crew.wait()
        #expect(wrong.count == 0)
    }
}
