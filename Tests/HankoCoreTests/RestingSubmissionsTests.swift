@testable import HankoCore
import Testing

@Suite struct RestingSubmissionsTests {
    @Test func theEarliestIsFirst() throws {
        let maker = try SubmissionMaker()
        var resting = RestingSubmissions()
        var random = SeededGenerator(seed: 1)
        var moments = (0..<500).map { _ in Int64.random(in: 0..<100, using: &random) }
        for moment in moments { resting.insert(try maker.make(), until: moment) }
        moments.sort()
        for moment in moments {
            let first = try #require(resting.first)
            #expect(first.restsUntil == moment)
            resting.remove(first)
            #expect(first.restIndex == -1)
        }
        #expect(resting.first == nil)
    }

    @Test func eachCanBeTakenOutEarly() throws {
        let maker = try SubmissionMaker()
        var resting = RestingSubmissions()
        var random = SeededGenerator(seed: 2)
        for _ in 0..<300 { resting.insert(try maker.make(), until: .random(in: 0..<50, using: &random)) }
        var left = maker.made
        for submission in maker.made.shuffled(using: &random) {
            resting.remove(submission)
            left.removeAll { $0 === submission }
            #expect(resting.first?.restsUntil == left.map(\.restsUntil).min())
            var count = 0
            resting.forEach { _ in count += 1 }
            #expect(count == left.count)
        }
    }

    @Test func whoDoesNotRestIsNotTakenOut() throws {
        let maker = try SubmissionMaker()
        var resting = RestingSubmissions()
        let one = try maker.make()
        resting.insert(one, until: 1)
        resting.remove(try maker.make())
        #expect(resting.first === one)
    }
}
