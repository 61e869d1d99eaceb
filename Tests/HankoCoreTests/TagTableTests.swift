@testable import HankoCore
import Testing

@Suite struct TagTableTests {
    /// Tags as hosts have them: numbers, addresses, and the worst that hashing can get.
    private static let tags: [UInt64] =
        Array(0..<200) + (0..<200).map { 0x7F00_1234_0000 + $0 * 64 } + (0..<100).map { $0 << 56 } + [.max, .max, 0, 0]

    @Test func eachIsFoundByItsTagUntilItIsRemoved() throws {
        let maker = try SubmissionMaker()
        var table = TagTable()
        var model: [UInt64: Set<ObjectIdentifier>] = [:]
        for tag in Self.tags {
            let submission = try maker.make(tag: tag)
            let isIn = table.insert(submission)
            #expect(isIn)
            model[tag, default: []].insert(ObjectIdentifier(submission))
        }
        func check(_ tag: UInt64) {
            var found: Set<ObjectIdentifier> = []
            table.forEach(tag) { found.insert(ObjectIdentifier($0)) }
            #expect(found == model[tag] ?? [])
        }
        var random = SeededGenerator(seed: 5)
        for submission in maker.made.shuffled(using: &random) {
            check(submission.tag)
            table.remove(submission)
            model[submission.tag]?.remove(ObjectIdentifier(submission))
            check(submission.tag)
        }
        #expect(table.count == 0)
    }

    @Test func oneTagMayBeThereManyTimes() throws {
        let maker = try SubmissionMaker()
        var table = TagTable()
        for _ in 0..<1000 { _ = table.insert(try maker.make(tag: 7)) }
        var count = 0
        table.forEach(7) { _ in count += 1 }
        #expect(count == 1000)
        for submission in maker.made { table.remove(submission) }
        table.forEach(7) { _ in count += 1 }
        #expect(count == 1000)
    }

    @Test func anEmptyTableFindsNothing() {
        TagTable().forEach(0) { _ in Issue.record("found") }
    }
}
