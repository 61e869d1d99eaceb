@testable import HankoCore
import Testing

@Suite struct WithdrawalsTests {
    @Test func theyComeOutInOrderAndMayComeBack() throws {
        let maker = try SubmissionMaker()
        var withdrawals = Withdrawals()
        for _ in 0..<2 {
            for tag in 0..<5 as Range<UInt64> { withdrawals.append(try maker.make(tag: tag)) }
            #expect(!withdrawals.isEmpty)
            var tags: [UInt64] = []
            while let submission = withdrawals.popFirst() { tags.append(submission.tag) }
            #expect(tags == [0, 1, 2, 3, 4])
            #expect(withdrawals.isEmpty)
        }
        let one = try maker.make(tag: 9)
        for _ in 0..<2 {
            withdrawals.append(one)
            #expect(withdrawals.popFirst() === one)
        }
    }

    @Test func eachIsRetainedMeanwhile() throws {
        weak var gone: Submission?
        var withdrawals = Withdrawals()
        do {
            let maker = try SubmissionMaker()
            let submission = try maker.make()
            gone = submission
            withdrawals.append(submission)
        }
        #expect(gone != nil)
        _ = withdrawals.popFirst()
        #expect(gone == nil)
    }
}
