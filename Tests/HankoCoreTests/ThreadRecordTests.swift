import HankoCore
import Testing

/// Each test has a thread of its own, because the threads of the test run have had calls before.
@Suite struct ThreadRecordTests {
    private struct Seen: Equatable {
        var status: Int32
        var text: [UInt8]

        static func now() -> Seen {
            let text = ThreadRecord.text
            var bytes: [UInt8] = []
            while text[bytes.count] != 0 { bytes.append(UInt8(bitPattern: text[bytes.count])) }
            return Seen(status: ThreadRecord.status, text: bytes)
        }
    }

    private static func noted(_ text: String) throws -> [UInt8] {
        try #require(
            onNewThread {
                #expect(ThreadRecord.note(CallResult(status: .timeout, text: text)))
                return Seen.now().text
            })
    }

    @Test func beforeTheFirstCallThereIsNoTokenAndNoText() {
        #expect(onNewThread { Seen.now() } == Seen(status: Status.noToken.rawValue, text: []))
    }

    @Test func theLastCallCounts() {
        let seen = onNewThread {
            var seen: [Seen] = []
            for status in Status.allCases {
                #expect(ThreadRecord.note(CallResult(status: status, text: "\(status.name)")))
                seen.append(.now())
            }
            #expect(ThreadRecord.note(.ok))
            seen.append(.now())
            return seen
        }
        let expected = Status.allCases.map { Seen(status: $0.rawValue, text: Array("\($0.name)".utf8)) }
        #expect(seen == expected + [Seen(status: 0, text: [])])
    }

    @Test func aShorterTextLeavesNothingOfTheLongerOne() {
        let seen = onNewThread {
            #expect(ThreadRecord.note(CallResult(status: .timeout, text: "a long text")))
            #expect(ThreadRecord.note(CallResult(status: .unavailable, text: "short")))
            return Seen.now()
        }
        #expect(seen == Seen(status: Status.unavailable.rawValue, text: Array("short".utf8)))
    }

    @Test func eachThreadHasItsOwn() {
        let seen = onNewThread {
            #expect(ThreadRecord.note(CallResult(status: .timeout, text: "outer")))
            let inner = onNewThread {
                let before = Seen.now()
                #expect(ThreadRecord.note(CallResult(status: .invalidToken, text: "inner")))
                return [before, Seen.now()]
            }
            return (inner ?? []) + [Seen.now()]
        }
        #expect(
            seen == [
                Seen(status: Status.noToken.rawValue, text: []),
                Seen(status: Status.invalidToken.rawValue, text: Array("inner".utf8)),
                Seen(status: Status.timeout.rawValue, text: Array("outer".utf8)),
            ])
    }

    @Test func manyThreadsComeAndGo() {
        for number in 0..<100 {
            let seen = onNewThread {
                #expect(ThreadRecord.note(CallResult(status: .unavailable, text: "\(number)")))
                return Seen.now()
            }
            #expect(seen == Seen(status: Status.unavailable.rawValue, text: Array("\(number)".utf8)))
        }
    }

    @Test(arguments: [0, 1, 510, 511])
    func aTextThatFitsIsKeptWhole(_ length: Int) throws {
        let text = String(repeating: "a", count: length)
        #expect(try Self.noted(text) == Array(text.utf8))
    }

    @Test(arguments: [512, 513, 1_000, 100_000])
    func aLongerTextIsCut(_ length: Int) throws {
        let found = try Self.noted(String(repeating: "a", count: length))
        #expect(found == [UInt8](repeating: 0x61, count: 511))
    }

    /// The last character that is kept begins at each of the positions around the limit.
    @Test(arguments: ["é", "€", "😀"])
    func aTextIsCutAtACharacter(_ character: String) throws {
        for start in 505...515 {
            let text = String(repeating: "a", count: start) + String(repeating: character, count: 10)
            let found = try Self.noted(text)
            let kept = try #require(String(validating: found, as: UTF8.self), "half a character at \(start)")
            #expect(text.hasPrefix(kept), "\(start)")
            #expect(found.count <= 511)
            #expect(found.count >= 511 - 2 * character.utf8.count, "\(start)")
        }
    }

    @Test(arguments: ["é", "€", "😀"])
    func aTextThatFitsIsKeptWholeWhateverItsLastCharacter(_ character: String) throws {
        let text = String(repeating: "a", count: 511 - character.utf8.count) + character
        #expect(try Self.noted(text) == Array(text.utf8))
    }
}
