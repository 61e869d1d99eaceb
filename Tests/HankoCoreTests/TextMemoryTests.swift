@testable import HankoCore
import Testing

@Suite struct TextMemoryTests {
    /// What a piece of memory holds after it was filled; nil when something did not fit.
    private static func filled(_ capacity: Int, _ fill: (inout TextMemory) -> Void) -> [UInt8]? {
        guard var memory = TextMemory(capacity: capacity) else { return nil }
        fill(&memory)
        return memory.hasOverflowed ? nil : memory.written.bytes()
    }

    @Test func textsStandOneBehindTheOther() {
        let bytes = Self.filled(8) { memory in
            memory.append(ByteView("abc"))
            memory.append(0)
            memory.append(.empty)
            memory.append(ByteView("def"))
            memory.append(0)
        }
        #expect(bytes == Array("abc\0def\0".utf8))
    }

    @Test(arguments: [(#"a\u00e9\ud83d\ude00\n"#, "aé😀\n"), ("plain", "plain"), ("", "")])
    func escapesAreResolved(_ written: String, _ text: String) {
        let bytes = JSONTrace.string(Array("\"\(written)\"".utf8)) { text in
            Self.filled(20) { JSONWriter.appendResolved(text, to: &$0) }
        }
        #expect(bytes == Array(text.utf8))
    }

    @Test func whatDoesNotFitIsLeftOutAndSeen() {
        #expect(Self.filled(2) { $0.append(ByteView("abc")) } == nil)
        #expect(Self.filled(3) { $0.appendNumber(1) } == nil)
        #expect(Self.filled(0) { $0.append(0x61) } == nil)
        #expect(Self.filled(-1) { $0.append(0x61) } == nil)
        let kept = Self.filled(3) { memory in
            memory.append(ByteView("abc"))
            memory.append(ByteView.empty)
        }
        #expect(kept == Array("abc".utf8))
    }

    @Test func numbersAreFoundAgainAndNothingOutside() {
        guard var memory = TextMemory(capacity: 16) else {
            Issue.record("no memory")
            return
        }
        memory.append(0x61)
        memory.appendNumber(7)
        memory.appendNumber(.max)
        memory.setNumber(8, at: 1)
        let outside = [-1, 6, 9, 16, Int.max, Int.min]
        for position in outside { memory.setNumber(9, at: position) }
        let numbers = [memory.number(at: 1), memory.number(at: 5)]
        #expect(numbers == [8, UInt32.max])
        for position in outside {
            let number = memory.number(at: position)
            let isInside = memory.cString(at: position) != nil
            #expect(number == 0)
            #expect(isInside == (position == 6), "\(position)")
        }
    }
}
