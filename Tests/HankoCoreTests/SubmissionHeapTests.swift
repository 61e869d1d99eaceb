@testable import HankoCore
import Testing

@Suite struct SubmissionHeapTests {
    /// As many as a queue may hold. They have given their tokens back, so that all of them are small.
    private static let most = 100_000

    private static func make(_ count: Int, _ maker: SubmissionMaker) throws -> [Submission] {
        for tag in 0..<count { try maker.make(tag: UInt64(tag)).end(.cancelled) }
        return maker.made
    }

    private static func isUnlinked(_ submission: Submission) -> Bool {
        submission.firstChild == nil && submission.nextSibling == nil && submission.previousInHeap == nil
    }

    /// Takes the earliest out until there is none.
    private static func drain(_ heap: inout SubmissionHeap) -> [Int64] {
        var moments: [Int64] = []
        while let first = heap.first {
            heap.remove(first)
            moments.append(first.moment)
        }
        return moments
    }

    @Test func anEmptyOneHasNoFirst() {
        var heap = SubmissionHeap()
        #expect(heap.first == nil)
        #expect(heap.takeAll().isEmpty)
    }

    @Test func theEarliestIsFirst() throws {
        let maker = try SubmissionMaker()
        var heap = SubmissionHeap()
        var random = SeededGenerator(seed: 1)
        var moments = (0..<500).map { _ in Int64.random(in: 0..<100, using: &random) }
        for moment in moments { heap.insert(try maker.make(), until: moment) }
        moments.sort()
        for moment in moments {
            let first = try #require(heap.first)
            #expect(first.moment == moment)
            heap.remove(first)
            #expect(Self.isUnlinked(first))
        }
        #expect(heap.first == nil)
    }

    @Test(arguments: [[.max, .min, 0], [.min, .max], [.max, .max, .min, .min]] as [[Int64]])
    func momentsMayBeAnyNumbers(_ moments: [Int64]) throws {
        let maker = try SubmissionMaker()
        var heap = SubmissionHeap()
        for moment in moments { heap.insert(try maker.make(), until: moment) }
        #expect(Self.drain(&heap) == moments.sorted())
    }

    @Test func eachCanBeTakenOutEarlyWhereverItStands() throws {
        let maker = try SubmissionMaker()
        var heap = SubmissionHeap()
        var random = SeededGenerator(seed: 2)
        let made = try Self.make(300, maker)
        for submission in made { heap.insert(submission, until: .random(in: 0..<50, using: &random)) }
        // One that has children and siblings: the heap has been rebuilt then.
        let first = try #require(heap.first)
        heap.remove(first)
        var left = made.filter { $0 !== first }
        for submission in left.shuffled(using: &random) {
            heap.remove(submission)
            #expect(Self.isUnlinked(submission))
            left.removeAll { $0 === submission }
            #expect(heap.first?.moment == left.map(\.moment).min())
        }
    }

    /// Against the plainest of models: all that are in it, in an array.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func whateverIsDoneTheEarliestIsFirst(_ seed: UInt64) throws {
        let maker = try SubmissionMaker()
        let made = try Self.make(120, maker)
        var dice = SeededGenerator(seed: seed)
        // Few moments, so that many are equal; or very many.
        let span = seed % 2 == 0 ? 7 : 1_000_000
        var heap = SubmissionHeap()
        var inside: [Submission] = []
        var outside = made
        for round in 0..<6_000 {
            // It fills and empties again and again.
            let fills = round / 400 % 2 == 0
            switch dice.below(1_000) {
            case 0..<2:
                var taken = heap.takeAll()
                var tags: [UInt64] = []
                while let submission = taken.popFirst() {
                    #expect(Self.isUnlinked(submission))
                    tags.append(submission.tag)
                }
                #expect(tags.sorted() == inside.map(\.tag).sorted())
                outside += inside
                inside = []
            case 2..<(fills ? 700 : 300) where !outside.isEmpty:
                let submission = outside.remove(at: dice.below(outside.count))
                heap.insert(submission, until: Int64(dice.below(span)))
                inside.append(submission)
            case 700..<850:
                guard let first = heap.first else { break }
                heap.remove(first)
                inside.removeAll { $0 === first }
                outside.append(first)
            default:
                guard !inside.isEmpty else { break }
                let submission = inside.remove(at: dice.below(inside.count))
                heap.remove(submission)
                #expect(Self.isUnlinked(submission))
                outside.append(submission)
            }
            let first = heap.first
            guard first?.moment == inside.map(\.moment).min(), first == nil || inside.contains(where: { $0 === first })
            else {
                Issue.record("round \(round): \(String(describing: first?.moment))")
                return
            }
        }
        #expect(Self.drain(&heap) == inside.map(\.moment).sorted())
    }

    /// In a thread with little stack: neither putting in nor taking out may call itself, however many there are.
    @Test(arguments: ["ascending", "descending", "equal", "random"])
    func itTakesAsManyAsAQueueHolds(_ order: String) throws {
        let maker = try SubmissionMaker()
        let made = try Self.make(Self.most, maker)
        var dice = SeededGenerator(seed: 3)
        let moments = made.indices.map { index in
            switch order {
            case "ascending": Int64(index)
            case "descending": Int64(-index)
            case "equal": 7 as Int64
            default: Int64(dice.below(1 << 20))
            }
        }
        let wrong = onNewThread(stackSize: 256 * 1024) { Self.fillAndEmpty(made, moments) }
        #expect(wrong == [])
    }

    /// - Returns: what is wrong.
    private static func fillAndEmpty(_ made: [Submission], _ moments: [Int64]) -> [String] {
        var wrong: [String] = []
        var heap = SubmissionHeap()
        for (submission, moment) in zip(made, moments) { heap.insert(submission, until: moment) }
        // Out of the middle: before anything was taken from the front, when all may be children of one, and after that.
        var left: [Int64] = []
        for (index, submission) in made.enumerated() where index < most / 2 {
            if index % 3 == 0 { heap.remove(submission) } else { left.append(moments[index]) }
        }
        left += moments[(most / 2)...]
        left.sort()
        if let first = heap.first {
            heap.remove(first)
            if first.moment != left.removeFirst() { wrong.append("the first is not the earliest") }
        }
        if drain(&heap) != left { wrong.append("out of order") }
        // And all at once.
        for (submission, moment) in zip(made, moments) { heap.insert(submission, until: moment) }
        var all = heap.takeAll()
        var taken = 0
        while all.popFirst() != nil { taken += 1 }
        if taken != most || heap.first != nil { wrong.append("\(taken) at once") }
        return wrong
    }
}
