import HankoCore
import Testing

@Suite struct JSONStringTests {
    /// A JSON string as written, and the text that it stands for.
    static let decoded: [(String, String)] = [
        (#""""#, ""),
        (#""plain""#, "plain"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0000""#, "\0"),
        (#""\u0041\u007f""#, "A\u{7F}"),
        (#""\u0080\u07ff""#, "\u{80}\u{7FF}"),
        (#""\u0800\uffff""#, "\u{800}\u{FFFF}"),
        (#""\ud7ff\ue000""#, "\u{D7FF}\u{E000}"),
        (#""\ud800\udc00""#, "\u{10000}"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        (#""\ud83d\ude00""#, "\u{1F600}"),
        (#""é\u00e9😀\ud83d\ude00""#, "éé😀😀"),
        (#""a\\u0041""#, "a\\u0041"),
        (#""\\\\""#, "\\\\"),
        (#""\u00e9x\ny""#, "\u{E9}x\ny"),
    ]

    @Test(arguments: decoded)
    func escapesAreResolved(_ written: String, _ text: String) throws {
        let expected = Array(text.utf8)
        let found = try #require(
            JSONTrace.string(Array(written.utf8)) { string in
                (bytes: string.bytes(), viewed: string.withShortText { $0.bytes() }, isEmpty: string.isEmpty)
            })
        #expect(found.bytes == expected)
        #expect(found.viewed == expected)
        #expect(found.isEmpty == text.isEmpty)
    }

    /// Unicode text cannot hold them, so they come out as their three bytes: equal ones equal, different ones different.
    @Test(
        arguments: [
            (#""\ud800""#, [0xED, 0xA0, 0x80]),
            (#""\udbff""#, [0xED, 0xAF, 0xBF]),
            (#""\udc00""#, [0xED, 0xB0, 0x80]),
            (#""\udfff""#, [0xED, 0xBF, 0xBF]),
            (#""\ud800x""#, [0xED, 0xA0, 0x80, 0x78]),
            (#""\ud800\n""#, [0xED, 0xA0, 0x80, 0x0A]),
            (#""\ud800\u0041""#, [0xED, 0xA0, 0x80, 0x41]),
            (#""\ud800\\udc00""#, [0xED, 0xA0, 0x80, 0x5C, 0x75, 0x64, 0x63, 0x30, 0x30]),
            (#""\udc00\ud800""#, [0xED, 0xB0, 0x80, 0xED, 0xA0, 0x80]),
            (#""\ud800\ud83d\ude00""#, [0xED, 0xA0, 0x80, 0xF0, 0x9F, 0x98, 0x80]),
            (#""\ud83d\ude00\ude00""#, [0xF0, 0x9F, 0x98, 0x80, 0xED, 0xB8, 0x80]),
        ] as [(String, [UInt8])])
    func loneSurrogatesKeepTheirThreeBytes(_ written: String, _ expected: [UInt8]) {
        #expect(JSONTrace.string(Array(written.utf8)) { $0.bytes() } == expected)
        #expect(JSONTrace.string(Array(written.utf8)) { $0.fitsCString } == false)
    }

    @Test func theDecoderTellsOfLoneSurrogatesOnlyWhenOneCame() {
        for (written, isLone) in [(#""\ud800""#, true), (#""\ud83d\ude00""#, false), (#""\n""#, false)] {
            let saw = JSONTrace.string(Array(written.utf8)) { string in
                var decoder = JSONStringDecoder(string)
                while decoder.next() != nil {}
                return decoder.sawLoneSurrogate
            }
            #expect(saw == isLone, "\(written)")
        }
    }

    @Test func theDecoderStaysAtTheEnd() {
        let rest = JSONTrace.string(Array(#""\u00e9""#.utf8)) { string in
            var decoder = JSONStringDecoder(string)
            return [decoder.next(), decoder.next(), decoder.next(), decoder.next()]
        }
        #expect(rest == [0xC3, 0xA9, nil, nil])
    }

    @Test func aShortTextIsResolvedWithoutMemory() {
        func resolved(_ written: String) -> String? {
            (JSONTrace.string(Array(written.utf8)) { string in string.withShortText { $0.string } ?? "none" })
        }
        #expect(resolved(#""abc""#) == "abc")
        #expect(resolved(#""a\u0062\u00e9""#) == "abé")
        let sixty = String(repeating: "x", count: 60)
        #expect(resolved("\"\\u0061\\u0062\\u0063\\u0064\(sixty)\"") == "abcd\(sixty)")
        #expect(resolved("\"\\u0061\\u0062\\u0063\\u0064\(sixty)x\"") == "none")
        // Without escapes nothing is copied, so that it may be of any length.
        #expect(resolved("\"\(sixty)\(sixty)\"") == sixty + sixty)
    }

    /// Two JSON strings as written, and whether they are the same text.
    static let pairs: [(String, String, Bool)] = [
        (#""""#, #""""#, true),
        (#""a""#, #""a""#, true),
        (#""a""#, #""\u0061""#, true),
        (#""\u0061""#, #""a""#, true),
        (#""\u0061b""#, #""a\u0062""#, true),
        (#""\u00e9""#, #""é""#, true),
        (#""\ud83d\ude00""#, #""😀""#, true),
        (#""\/""#, #""/""#, true),
        (#""\ud800""#, #""\uD800""#, true),
        (#""a""#, #""b""#, false),
        (#""a""#, #""A""#, false),
        (#""a""#, #""aa""#, false),
        (#""aa""#, #""a""#, false),
        (#""""#, #""a""#, false),
        (#""\u0061""#, #""\u0061\u0061""#, false),
        (#""\u0061\u0061""#, #""a""#, false),
        (#""\u0061""#, #""aa""#, false),
        (#""""#, #""\u0000""#, false),
        (#""a\u0000""#, #""a""#, false),
        (#""a\u0000b""#, #""a\u0000c""#, false),
        (#""\\u0061""#, #""a""#, false),
        (#""\ud800""#, #""\ud801""#, false),
        (#""\u00e9""#, #""e\u0301""#, false),
    ]

    @Test(arguments: pairs)
    func equalityIsThatOfTheTextAndNotOfItsSpelling(_ left: String, _ right: String, _ areEqual: Bool) {
        let found = JSONTrace.string(Array(left.utf8)) { left in
            JSONTrace.string(Array(right.utf8)) { right in
                let rightText = right.bytes().withUnsafeBufferPointer { left.equals(ByteView($0)) }
                return [left.equals(right), right.equals(left), rightText]
            }
        }
        #expect(found == [areEqual, areEqual, areEqual])
    }

    @Test(arguments: [
        (#""is_valid""#, true), (#""is\u005fvalid""#, true), (#""is_valid\u0000""#, false), (#""is_vali""#, false),
        (#""is_validx""#, false), (#""Is_valid""#, false), (#""""#, false), (#""\u0069s_vali""#, false),
    ])
    func equalityWithAConstant(_ written: String, _ isEqual: Bool) {
        #expect(JSONTrace.string(Array(written.utf8)) { $0.equals("is_valid") } == isEqual)
    }

    @Test(arguments: [
        (#""failed""#, true), (#""failed to""#, true), (#""f\u0061iled to""#, true), (#""\u0066ailed""#, true),
        (#""faile""#, false), (#""f\u0061ile""#, false), (#""Failed""#, false), (#"" failed""#, false),
        (#""""#, false), (#""fail\u0000ed""#, false),
    ])
    func prefixIsThatOfTheText(_ written: String, _ hasPrefix: Bool) {
        #expect(JSONTrace.string(Array(written.utf8)) { $0.hasPrefix("failed") } == hasPrefix)
    }

    @Test func everyStringBeginsWithNothing() {
        for written in [#""""#, #""a""#, #""\u0000""#] {
            #expect(JSONTrace.string(Array(written.utf8)) { $0.hasPrefix("") } == true)
        }
    }

    @Test(arguments: [
        (#""""#, true), (#""a""#, true), (#""é😀""#, true), (#""\u0001\n\t""#, true), (#""\ud83d\ude00""#, true),
        (#""\u0000""#, false), (#""a\u0000b""#, false), (#""\ud800""#, false), (#""x\udc00""#, false),
        (#""\\u0000""#, true),
    ])
    func aCStringHoldsAllButNULAndHalfCharacters(_ written: String, _ fits: Bool) {
        #expect(JSONTrace.string(Array(written.utf8)) { $0.fitsCString } == fits)
    }
}
