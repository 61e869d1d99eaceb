@testable import HankoCore
import Testing

@Suite struct SecretBufferTests {
    /// What can be seen of a buffer. The buffer itself cannot be copied, and so cannot stand in an expectation.
    private struct Seen: Equatable {
        var bytes: [UInt8]
        var count: Int
        var hasOverflowed: Bool
        var start: UnsafePointer<UInt8>?

        init(_ buffer: borrowing SecretBuffer) {
            bytes = buffer.withView { $0.bytes() }
            count = buffer.count
            hasOverflowed = buffer.hasOverflowed
            start = buffer.withView { $0.start }
        }
    }

    @Test func aNewBufferIsEmpty() {
        let buffer = SecretBuffer()
        let seen = Seen(buffer)
        #expect(seen.bytes.isEmpty)
        #expect(seen.count == 0)
        #expect(!seen.hasOverflowed)
    }

    @Test func whatIsAppendedIsThere() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(8)
        buffer.append(0x61)
        buffer.append(ByteView("bc"))
        buffer.append(ByteView.empty)
        buffer.append(0x64)
        let seen = Seen(buffer)
        #expect(hasRoom)
        #expect(seen.bytes == Array("abcd".utf8))
        #expect(seen.count == 4)
        #expect(!seen.hasOverflowed)
    }

    @Test func nothingIsAppendedWithoutRoom() {
        var one = SecretBuffer()
        one.append(1)
        var several = SecretBuffer()
        several.append(ByteView("ab"))
        for seen in [Seen(one), Seen(several)] {
            #expect(seen.count == 0)
            #expect(seen.hasOverflowed)
        }
    }

    @Test func whatDoesNotFitIsIgnoredWholeAndTold() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(1_024)
        var appended = 0
        while !buffer.hasOverflowed, appended < 1_000_000 {
            buffer.append(UInt8(truncatingIfNeeded: appended))
            appended += 1
        }
        let full = buffer.count
        buffer.append(ByteView("abc"))
        let seen = Seen(buffer)
        #expect(hasRoom)
        #expect(full == appended - 1)
        #expect(full >= 1_024)
        #expect(seen.count == full)

        // Not even the part of it that would fit.
        var nearly = SecretBuffer()
        let hasRoomToo = nearly.reserve(full)
        for _ in 0..<full - 2 { nearly.append(7) }
        let before = Seen(nearly)
        nearly.append(ByteView("abc"))
        let after = Seen(nearly)
        #expect(hasRoomToo)
        #expect(!before.hasOverflowed)
        #expect(after.bytes == before.bytes)
        #expect(after.hasOverflowed)
    }

    @Test func growingKeepsWhatIsThere() {
        var buffer = SecretBuffer()
        var expected: [UInt8] = []
        for round in 1...12 {
            let hasRoom = buffer.reserve(buffer.count + 500 * round)
            #expect(hasRoom)
            for index in 0..<500 * round {
                let byte = UInt8(truncatingIfNeeded: index &* 31 &+ round)
                buffer.append(byte)
                expected.append(byte)
            }
        }
        let seen = Seen(buffer)
        #expect(seen.bytes == expected)
        #expect(!seen.hasOverflowed)
    }

    @Test func roomThatIsThereIsNotMadeAgain() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(1_000)
        buffer.append(9)
        let before = Seen(buffer)
        for total in [0, 1, 500, 1_000, -1] {
            let hasRoomStill = buffer.reserve(total)
            #expect(hasRoomStill, "\(total)")
        }
        let after = Seen(buffer)
        #expect(hasRoom)
        #expect(before == after)
        #expect(before.start != nil)
    }

    @Test func erasingOverwritesWithZeros() throws {
        var buffer = SecretBuffer()
        let secret = Array("a token that nobody may find in memory".utf8)
        let hasRoom = buffer.reserve(secret.count)
        for byte in secret { buffer.append(byte) }
        let before = Seen(buffer)
        #expect(hasRoom)
        #expect(before.bytes == secret)
        buffer.erase()
        let after = Seen(buffer)
        // The buffer keeps its memory, so that one can look at it afterwards.
        let start = try #require(after.start)
        #expect(start == before.start)
        let memory = Array(UnsafeBufferPointer(start: start, count: secret.count))
        #expect(memory == [UInt8](repeating: 0, count: secret.count))
        #expect(after.count == 0)
        // It must live until here, or the memory would be somebody else's.
        buffer.append(1)
        let used = Seen(buffer)
        #expect(used.start == start)
    }

    @Test func anErasedBufferCanBeUsedAgain() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(10)
        buffer.append(ByteView("first"))
        buffer.erase()
        buffer.append(ByteView("2nd"))
        let seen = Seen(buffer)
        #expect(hasRoom)
        #expect(seen.bytes == Array("2nd".utf8))
        #expect(!seen.hasOverflowed)
    }

    @Test func erasingTakesTheOverflowBack() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(10)
        for _ in 0..<5_000 { buffer.append(1) }
        let before = Seen(buffer)
        buffer.erase()
        let after = Seen(buffer)
        #expect(hasRoom)
        #expect(before.hasOverflowed)
        #expect(!after.hasOverflowed)
    }

    @Test func erasingTakesTheOverflowBackWhereThereNeverWasMemory() {
        var buffer = SecretBuffer()
        buffer.append(1)
        let before = Seen(buffer)
        buffer.erase()
        let after = Seen(buffer)
        #expect(before.hasOverflowed)
        #expect(!after.hasOverflowed)
    }

    @Test func theMemoryOfALargeTokenIsGivenBack() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(200_000)
        for _ in 0..<200_000 { buffer.append(0x61) }
        let full = Seen(buffer)
        buffer.erase()
        let erased = Seen(buffer)
        let hasRoomAgain = buffer.reserve(3)
        buffer.append(ByteView("abc"))
        let again = Seen(buffer)
        #expect(hasRoom && hasRoomAgain)
        #expect(full.count == 200_000)
        #expect(erased.start == nil)
        #expect(erased.count == 0)
        #expect(again.bytes == Array("abc".utf8))
    }

    @Test func erasingAnEmptyBufferIsOfNoHarm() {
        var buffer = SecretBuffer()
        buffer.erase()
        buffer.erase()
        let seen = Seen(buffer)
        #expect(seen.count == 0)
    }

    @Test func bytesCanBeWrittenInPlace() {
        var buffer = SecretBuffer()
        buffer.append(0x61)
        let isAppended = buffer.append(count: 2_000) { memory in
            for position in 0..<2_000 { memory[position] = 0x62 }
            return true
        }
        let appended = Seen(buffer)
        #expect(isAppended)
        #expect(appended.bytes == [UInt8](repeating: 0x62, count: 2_000))
    }

    @Test func whatIsNotToStayIsOverwritten() {
        var buffer = SecretBuffer()
        let hasRoom = buffer.reserve(64)
        buffer.append(ByteView("abc"))
        var written: UnsafeMutablePointer<UInt8>?
        let isAppended = buffer.append(count: 4) { memory in
            written = memory
            for position in 0..<4 { memory[position] = 0x62 }
            return false
        }
        let left = (0..<4).map { written?[$0] }
        let seen = Seen(buffer)
        #expect(hasRoom && !isAppended)
        #expect(left == [0, 0, 0, 0])
        #expect(seen.bytes == Array("abc".utf8))
    }

    @Test func aNegativeNumberOfBytesIsRefused() {
        var buffer = SecretBuffer()
        let isAppended = buffer.append(count: -1) { _ in true }
        let seen = Seen(buffer)
        #expect(!isAppended)
        #expect(seen.count == 0)
    }
}
