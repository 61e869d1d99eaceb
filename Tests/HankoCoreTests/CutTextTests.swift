import HankoCore
import Testing

@Suite struct CutTextTests {
    private static func copy(_ text: String, capacity: Int) -> String {
        var memory = [CChar](repeating: 0x21, count: capacity + 1)
        memory.withUnsafeMutableBufferPointer { buffer in
            if let start = buffer.baseAddress { CutText.copy(text, to: start, capacity: capacity) }
        }
        #expect(memory[capacity] == 0x21, "written beyond the capacity")
        return memory.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    @Test(arguments: ["", "a", "abc", "äöü", "€", "😀😀", "aä€😀"])
    func theLongestWholePartIsCopied(_ text: String) {
        for capacity in 1...text.utf8.count + 2 {
            var expected = ""
            for scalar in text.unicodeScalars {
                let longer = expected + String(scalar)
                guard longer.utf8.count < capacity else { break }
                expected = longer
            }
            #expect(Self.copy(text, capacity: capacity) == expected, "\(capacity)")
        }
    }

    @Test func nothingIsWrittenWhereThereIsNoRoom() {
        var byte: CChar = 0x21
        CutText.copy("a", to: &byte, capacity: 0)
        #expect(byte == 0x21)
    }
}
