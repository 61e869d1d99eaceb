import HankoCore
import Testing

@Suite struct ByteViewTests {
    @Test func aPositionOutsideAnswersZeroAndDoesNotTrap() {
        withBytes([1, 2, 3]) { view in
            #expect([view[0], view[1], view[2]] == [1, 2, 3])
            for position in [-1, 3, 4, 1_000_000, Int.max, Int.min] { #expect(view[position] == 0, "\(position)") }
        }
        for view in [ByteView.empty, ByteView(nil, count: 5), ByteView("")] {
            for position in [-1, 0, 1, Int.max, Int.min] { #expect(view[position] == 0, "\(position)") }
        }
    }

    @Test func nothingHasNoBytes() {
        #expect(ByteView.empty.isEmpty)
        #expect(ByteView(nil, count: 7).count == 0)
        #expect(ByteView(nil, count: 7).bytes().isEmpty)
        #expect(ByteView(nil, count: -7).count == 0)
        #expect(ByteView.empty.start == nil)
        #expect(ByteView.empty.text() == "")
        withBytes([1]) { #expect(ByteView($0.start, count: -1).count == 0) }
        #expect(ByteView(UnsafeBufferPointer(start: nil, count: 0)).isEmpty)
    }

    /// One character is a special case of StaticString.
    @Test func constantsOfEachLengthAreSeen() {
        #expect(ByteView("").bytes() == [])
        #expect(ByteView("0").bytes() == [0x30])
        #expect(ByteView("é").bytes() == [0xC3, 0xA9])
        #expect(ByteView("is_valid").bytes() == Array("is_valid".utf8))
    }

    @Test func aSliceIsCutToWhatThereIs() {
        withBytes([1, 2, 3, 4]) { view in
            #expect(view.slice(from: 1, to: 3).bytes() == [2, 3])
            #expect(view.slice(from: 0, to: 4).bytes() == [1, 2, 3, 4])
            #expect(view.slice(from: 2).bytes() == [3, 4])
            #expect(view.slice(from: 4).bytes() == [])
            #expect(view.slice(from: 3, to: 2).bytes() == [])
            #expect(view.slice(from: -5, to: 2).bytes() == [1, 2])
            #expect(view.slice(from: -5, to: -2).bytes() == [])
            #expect(view.slice(from: 2, to: 100).bytes() == [3, 4])
            #expect(view.slice(from: 100, to: 200).bytes() == [])
            #expect(view.slice(from: .max, to: .min).bytes() == [])
            #expect(view.slice(from: .min, to: .max).bytes() == [1, 2, 3, 4])
            let inner = view.slice(from: 1, to: 3)
            #expect(inner[-1] == 0 && inner[2] == 0)
        }
        #expect(ByteView.empty.slice(from: 0, to: 10).isEmpty)
        #expect(ByteView.empty.slice(from: 5).isEmpty)
    }

    @Test func theFirstPositionOfAByte() {
        withBytes([5, 0, 5, 7]) { view in
            #expect(view.firstPosition(of: 5) == 0)
            #expect(view.firstPosition(of: 5, from: 1) == 2)
            #expect(view.firstPosition(of: 5, from: 3) == nil)
            #expect(view.firstPosition(of: 5, from: -10) == 0)
            #expect(view.firstPosition(of: 5, from: .max) == nil)
            #expect(view.firstPosition(of: 0) == 1)
            #expect(view.firstPosition(of: 9) == nil)
            #expect(view.contains(7))
            #expect(!view.contains(9))
        }
        // The 0 that stands for a position outside is not found.
        #expect(!withBytes([1]) { $0.contains(0) })
        #expect(!ByteView.empty.contains(0))
    }

    @Test(arguments: [
        ("", "", true, true), ("a", "", false, true), ("", "a", false, false), ("abc", "abc", true, true),
        ("abc", "ab", false, true), ("ab", "abc", false, false), ("abc", "abd", false, false),
        ("abc", "bc", false, false), ("abc", "ABC", false, false), ("a\0", "a", false, true),
        ("a", "a\0", false, false),
    ])
    func equalityAndPrefix(_ left: String, _ right: String, _ isEqual: Bool, _ hasPrefix: Bool) {
        withBytes(of: left) { left in
            withBytes(of: right) { right in
                #expect(left.equals(right) == isEqual)
                #expect(right.equals(left) == isEqual)
                #expect(left.hasPrefix(right) == hasPrefix)
            }
        }
    }

    @Test(arguments: [
        ("Content-Length", "content-LENGTH", true), ("", "", true), ("a", "b", false), ("a", "aa", false),
        ("[", "{", false), ("@", "`", false), ("\u{0}", " ", false), ("É", "é", false), ("Z", "z", true),
    ])
    func equalityIgnoringCaseIsThatOfASCII(_ left: String, _ right: String, _ isEqual: Bool) {
        withBytes(of: left) { left in
            withBytes(of: right) { right in
                #expect(left.equalsIgnoringCase(right) == isEqual)
                #expect(right.equalsIgnoringCase(left) == isEqual)
            }
        }
    }

    @Test(arguments: [
        ("", ""), (" ", ""), (" \t ", ""), ("a", "a"), (" a", "a"), ("a\t", "a"), ("\t a b \t", "a b"),
        ("\na\n", "\na\n"),
    ])
    func blanksAndTabsAreTrimmed(_ text: String, _ trimmed: String) {
        #expect(withBytes(of: text) { $0.trimmed().string } == trimmed)
    }

    @Test(
        arguments: [
            ("0", 10, 0), ("10", 10, 10), ("007", 10, 7), ("11", 10, nil), ("", 10, nil), ("-1", 10, nil),
            ("+1", 10, nil),
            (" 1", 10, nil), ("1 ", 10, nil), ("1.0", 10, nil), ("0x1", 10, nil), ("1\0", 10, nil),
            ("\u{661}", 10, nil),
            ("9223372036854775807", .max, .max), ("9223372036854775808", .max, nil),
            ("99999999999999999999999999999999", .max, nil), ("92233720368547758070", .max, nil),
            ("0000000000000000000000000000000000000001", 1, 1),
        ] as [(String, Int64, Int64?)])
    func aDecimalNumberIsDigitsOnly(_ text: String, _ maximum: Int64, _ value: Int64?) {
        #expect(withBytes(of: text) { $0.decimal(atMost: maximum) } == value)
    }

    @Test func textReplacesWhatIsNotUTF8() {
        #expect(withBytes([0x61, 0xFF, 0x62]) { $0.text() } == "a\u{FFFD}b")
        #expect(withBytes(of: "é") { $0.text() } == "é")
    }

    // MARK: Runs

    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5C }

    /// Each byte at each place, in texts of every length around the words that are looked at together.
    @Test func aPlainRunEndsAtTheFirstByteThatDoesNotStandForItself() {
        for byte in UInt8(0)...0xFF {
            for (length, place) in [(1, 0), (7, 6), (8, 0), (8, 7), (16, 8), (17, 16), (31, 30), (40, 15), (66, 65)] {
                var text = [UInt8](repeating: 0x61, count: length)
                text[place] = byte
                let expected = Self.isPlain(byte) ? length : place
                #expect(withBytes(text) { $0.plainRun(from: 0) } == expected, "\(byte) at \(place) of \(length)")
            }
        }
    }

    @Test func aPlainRunIsThatOfAWalkByteByByte() {
        var generator = SeededGenerator(seed: 8)
        let others: [UInt8] = [0, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0xA0, 0xA2, 0xDC, 0xFF]
        for _ in 0..<2_000 {
            let share = generator.below(30)
            let text = (0..<generator.below(80)).map { _ in
                generator.chance(share) ? others[generator.below(others.count)] : UInt8(0x21 + generator.below(0x5E))
            }
            withBytes(text) { view in
                for position in 0...text.count {
                    let run = text[position...].prefix { Self.isPlain($0) }
                    guard view.plainRun(from: position) == run.count,
                        view.plainText(from: position).bytes() == Array(run)
                    else {
                        Issue.record("from \(position) of \(text)")
                        return
                    }
                }
            }
        }
    }

    @Test func outsideOfTheViewThereIsNoRun() {
        withBytes([UInt8](repeating: 0x61, count: 40)) { view in
            for position in [-1, 40, 41, Int.max, Int.min] {
                #expect(view.plainRun(from: position) == 0, "\(position)")
                #expect(view.plainText(from: position).isEmpty, "\(position)")
                #expect(view.asciiRun(from: position) == 0, "\(position)")
            }
        }
        #expect(ByteView.empty.plainRun(from: 0) == 0)
        #expect(ByteView.empty.asciiRun(from: 0) == 0)
    }

    /// At most what there is, and all but the last seven bytes of it.
    @Test(arguments: 0...100)
    func anASCIIRunIsCounted(_ length: Int) {
        for place in [0, length / 2, length - 1, length] where place >= 0 {
            var text = [UInt8](repeating: 0x61, count: length)
            if place < length { text[place] = 0x80 }
            let run = withBytes(text) { $0.asciiRun(from: 0) }
            #expect(run <= place && run > place - 8, "\(place)")
        }
    }
}
