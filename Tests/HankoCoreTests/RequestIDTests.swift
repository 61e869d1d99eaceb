@testable import HankoCore
import Testing

@Suite struct RequestIDTests {
    private static func text(_ id: RequestID) -> String {
        var buffer = SecretBuffer()
        guard id.append(to: &buffer) else { return "not appended" }
        return buffer.withView { $0.string } ?? "not UTF-8"
    }

    @Test(arguments: [
        (0, 0, "00000000000000000000000000000000"), (0, 1, "00000000000000000000000000000001"),
        (UInt64.max, UInt64.max, "ffffffffffffffffffffffffffffffff"),
        (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, "0123456789abcdeffedcba9876543210"),
        (1 << 63, 1 << 63, "80000000000000008000000000000000"), (0x9A, 0xA9, "000000000000009a00000000000000a9"),
    ])
    func itIsWrittenInHexadecimalDigits(_ high: UInt64, _ low: UInt64, _ text: String) {
        let id = RequestID(high: high, low: low)
        #expect(Self.text(id) == text)
        #expect(withBytes(of: text) { id.equals($0) })
        #expect(!withBytes(of: text + "0") { id.equals($0) })
        for position in 0..<32 {
            var other = Array(text.utf8)
            other[position] ^= 1
            #expect(!withBytes(other) { id.equals($0) }, "\(position)")
            #expect(!withBytes(Array(other[..<position])) { id.equals($0) }, "\(position)")
        }
    }

    @Test func everyDigitIsRight() {
        for number in UInt64(0)..<256 {
            let digits = String(number, radix: 16)
            let expected = String(repeating: "0", count: 16 - digits.count) + digits
            #expect(Self.text(RequestID(high: number, low: number << 24)).hasPrefix(expected))
        }
    }
}
