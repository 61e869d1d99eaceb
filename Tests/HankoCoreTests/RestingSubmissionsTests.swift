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

    @Test func someCanBeTakenOutAtOnce() throws {
        let maker = try SubmissionMaker()
        var resting = RestingSubmissions()
        var random = SeededGenerator(seed: 3)
        for tag in 0..<300 {
            resting.insert(try maker.make(tag: UInt64(tag)), until: .random(in: 0..<50, using: &random))
        }
        var taken = resting.takeAll { $0.tag % 3 == 0 }
        var count = 0
        while let submission = taken.popFirst() {
            #expect(submission.tag % 3 == 0 && submission.restIndex == -1)
            count += 1
        }
        #expect(count == 100)
        for moment in maker.made.filter({ $0.tag % 3 != 0 }).map(\.restsUntil).sorted() {
            let first = try #require(resting.first)
            #expect(first.restsUntil == moment)
            resting.remove(first)
        }
        #expect(resting.first == nil)
    }
}
