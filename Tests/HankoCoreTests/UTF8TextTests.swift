import HankoCore
import Testing

@Suite struct UTF8TextTests {
    @Test(
        arguments: [
            [], [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80],
            [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0x61, 0xC3, 0xA9, 0x62],
        ] as [[UInt8]])
    func whatTheRFCAllowsIsValid(_ bytes: [UInt8]) {
        #expect(withBytes(bytes) { UTF8Text.isValid($0) })
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x7F], [0xC2, 0xC0], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xE1, 0x80, 0x7F], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80], [0xF1, 0x80, 0x80, 0xC0],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
            [0x61, 0x80, 0x62],
        ] as [[UInt8]])
    func everythingElseIsNot(_ bytes: [UInt8]) {
        #expect(!withBytes(bytes) { UTF8Text.isValid($0) })
        #expect(!withBytes([0x78] + bytes + [0x79]) { UTF8Text.isValid($0) })
    }

    @Test func everyScalarHasItsLength() {
        var count = 0
        // Every scalar would take long in a debug build; the steps meet each length and each border.
        for value in Array(stride(from: UInt32(0), through: 0x10FFFF, by: 61)) + [
            0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000,
        ] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let encoded = Array(String(Character(scalar)).utf8)
            #expect(withBytes(encoded) { UTF8Text.sequenceLength(in: $0, at: 0) } == encoded.count)
            count += 1
        }
        #expect(count > 18_000)
    }

    /// Swift's own decoder judges every sequence of two bytes, and those of three and four that begin at a border.
    @Test func theStandardLibraryAgrees() {
        var disagreements: [[UInt8]] = []
        func compare(_ bytes: [UInt8]) {
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if withBytes(bytes, { UTF8Text.isValid($0) }) != expected { disagreements.append(bytes) }
        }
        for first in UInt8(0)...0xFF {
            for second in UInt8(0)...0xFF { compare([first, second]) }
        }
        let borders: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xFF]
        for first in UInt8(0xC0)...0xFF {
            for second in borders {
                for third in borders {
                    compare([first, second, third])
                    for fourth in borders { compare([first, second, third, fourth]) }
                }
            }
        }
        #expect(disagreements.isEmpty)
    }

    @Test func outsideOfTheBytesThereIsNoSequence() {
        withBytes([0x61, 0xC3]) { view in
            for position in [-1, 2, 3, Int.max, Int.min] {
                #expect(UTF8Text.sequenceLength(in: view, at: position) == 0, "\(position)")
            }
            #expect(UTF8Text.sequenceLength(in: view, at: 0) == 1)
            #expect(UTF8Text.sequenceLength(in: view, at: 1) == 0)
        }
        #expect(UTF8Text.sequenceLength(in: .empty, at: 0) == 0)
        #expect(UTF8Text.isValid(.empty))
    }
}
