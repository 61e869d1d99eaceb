@testable import HankoCore
import Testing

@Suite struct SubmissionListTests {
    private static func tags(_ list: SubmissionList) -> [UInt64] {
        var found: [UInt64] = []
        var next = list.first
        while let submission = next {
            found.append(submission.tag)
            next = submission.next
        }
        return found
    }

    private static func tagsBackwards(_ list: SubmissionList) -> [UInt64] {
        var found: [UInt64] = []
        var next = list.last
        while let submission = next {
            found.append(submission.tag)
            next = submission.previous
        }
        return found
    }

    @Test func whatIsAppendedComesInThatOrder() throws {
        let maker = try SubmissionMaker()
        var list = SubmissionList()
        for tag in 0..<4 as Range<UInt64> { list.append(try maker.make(tag: tag)) }
        #expect(Self.tags(list) == [0, 1, 2, 3])
        #expect(Self.tagsBackwards(list) == [3, 2, 1, 0])
        #expect(list.popFirst()?.tag == 0)
        #expect(Self.tags(list) == [1, 2, 3])
    }

    @Test(arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]])
    func eachCanBeRemovedFromAnywhere(_ order: [Int]) throws {
        let maker = try SubmissionMaker()
        var list = SubmissionList()
        for tag in 0..<4 as Range<UInt64> { list.append(try maker.make(tag: tag)) }
        var left: [UInt64] = [0, 1, 2, 3]
        for index in order {
            list.remove(maker.made[index])
            left.removeAll { $0 == UInt64(index) }
            #expect(Self.tags(list) == left)
            #expect(Self.tagsBackwards(list) == left.reversed())
        }
        #expect(list.isEmpty)
    }

    @Test func allOfOneListGoToTheEndOfAnother() throws {
        let maker = try SubmissionMaker()
        var one = SubmissionList()
        var other = SubmissionList()
        one.append(contentsOf: &other)
        #expect(one.isEmpty)
        for tag in 0..<3 as Range<UInt64> { other.append(try maker.make(tag: tag)) }
        one.append(contentsOf: &other)
        #expect(Self.tags(one) == [0, 1, 2])
        #expect(other.isEmpty)
        other.append(try maker.make(tag: 3))
        one.append(contentsOf: &other)
        #expect(Self.tags(one) == [0, 1, 2, 3])
        #expect(Self.tagsBackwards(one) == [3, 2, 1, 0])
        var all = one.takeAll()
        #expect(one.isEmpty)
        #expect(Self.tags(all) == [0, 1, 2, 3])
        while all.popFirst() != nil {}
        #expect(all.isEmpty && all.last == nil)
    }
}
