import HankoCore
import Testing

/// Compared with Swift's own idea of each of the 256 bytes.
@Suite struct ASCIITests {
    @Test func theClassesOfBytes() {
        for byte in UInt8(0)...0xFF {
            let character = byte < 0x80 ? Character(Unicode.Scalar(byte)) : nil
            let digit = character.flatMap { $0.isWholeNumber ? $0.wholeNumberValue : nil }
            #expect(ASCII.digit(byte) == digit.map(Int64.init), "\(byte)")
            #expect(ASCII.isDigit(byte) == (digit != nil), "\(byte)")
            #expect(ASCII.hexadecimal(byte) == character.flatMap { $0.hexDigitValue.map(UInt32.init) }, "\(byte)")
            #expect(ASCII.isBlank(byte) == (byte == 0x20 || byte == 0x09), "\(byte)")
            let lower = character.map { Array($0.lowercased().utf8) } ?? [byte]
            #expect([ASCII.lowercased(byte)] == lower, "\(byte)")
        }
    }
}
