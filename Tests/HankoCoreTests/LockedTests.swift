@testable import HankoCore
import Testing

@Suite struct LockedTests {
    @Test func itGivesTheValueAndWhatTheFunctionAnswers() {
        let numbers = Locked<[Int]>([1])
        let count = numbers.with { numbers in
            numbers.append(2)
            return numbers.count
        }
        #expect(count == 2)
        #expect(numbers.with { $0 } == [1, 2])
    }

    @Test func oneThreadAtATimeHasIt() throws {
        let number = Locked(0)
        // Read and written apart, so that two at a time would lose some.
        let crew = Crew.start(8) { _ in for _ in 0..<10_000 { number.with { $0 = $0 + 1 } } }
        try #require(crew).wait()
        #expect(number.with { $0 } == 80_000)
    }
}
