import HankoCore
import Testing

@Suite struct UUIDValueTests {
    @Test(arguments: [
        "44d51f8d-3265-453e-b69c-4cadef7f58be", "44D51F8D-3265-453E-B69C-4CADEF7F58BE",
        "44d51F8D-3265-453e-B69C-4cadef7f58be", "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ])
    func aUUIDHasFiveGroupsOfHexadecimalDigits(_ text: String) {
        #expect(withBytes(of: text) { UUIDValue($0) } != nil)
    }

    @Test(arguments: [
        "", "44d51f8d", "44d51f8d-3265-453e-b69c-4cadef7f58b", "44d51f8d-3265-453e-b69c-4cadef7f58bee",
        "44d51f8d3265453eb69c4cadef7f58be", "{44d51f8d-3265-453e-b69c-4cadef7f58be}",
        "urn:uuid:44d51f8d-3265-453e-b69c-4cadef7f58be", "44d51f8d-3265-453e-b69c-4cadef7f58bg",
        "g4d51f8d-3265-453e-b69c-4cadef7f58be", "44d51f8d_3265-453e-b69c-4cadef7f58be",
        "44d51f8-d3265-453e-b69c-4cadef7f58be", "44d51f8d-3265-453e-b69c4-cadef7f58be",
        "44d51f8d 3265 453e b69c 4cadef7f58be", "44d51f8d-3265-453e-b69c-4cadef7f58b\0",
        " 4d51f8d-3265-453e-b69c-4cadef7f58be", "------------------------------------",
        "hanko webhooks",
    ])
    func everythingElseIsNone(_ text: String) {
        #expect(withBytes(of: text) { UUIDValue($0) } == nil)
    }

    @Test func everyPositionIsLookedAt() {
        let uuid = Array("44d51f8d-3265-453e-b69c-4cadef7f58be".utf8)
        for position in 0..<36 {
            var changed = uuid
            changed[position] = uuid[position] == 0x2D ? 0x61 : 0x2D
            #expect(withBytes(changed) { UUIDValue($0) } == nil, "\(position)")
        }
    }

    @Test func eachByteIsADigitOrNoneAtEachPlace() {
        let uuid = Array("44d51f8d-3265-453e-b69c-4cadef7f58be".utf8)
        let digits = Array("0123456789abcdefABCDEF".utf8)
        for position in 0..<36 where uuid[position] != 0x2D {
            var values: [UUIDValue] = []
            for byte in UInt8(0)...0xFF {
                var changed = uuid
                changed[position] = byte
                let value = withBytes(changed) { UUIDValue($0) }
                #expect((value != nil) == digits.contains(byte), "\(byte) at \(position)")
                if let value, !values.contains(value) { values.append(value) }
            }
            #expect(values.count == 16, "\(position)")
        }
    }

    @Test func upperAndLowerCaseAreTheSame() {
        let text = "0123abcd-4567-89ef-cdef-0123456789ab"
        let value = withBytes(of: text) { UUIDValue($0) }
        #expect(value != nil)
        #expect(withBytes(of: text.uppercased()) { UUIDValue($0) } == value)
        #expect(withBytes(of: "0123abcd-4567-89ef-cdef-0123456789ac") { UUIDValue($0) } != value)
        #expect(withBytes(of: "1023abcd-4567-89ef-cdef-0123456789ab") { UUIDValue($0) } != value)
    }

    @Test func onlyZerosAreTheNilUUID() {
        #expect(withBytes(of: Judge.nilUUID) { UUIDValue($0) }?.isNil == true)
        for text in ["", "0", Judge.user, "00000000-0000-0000-0000-000000000001", "\(Judge.nilUUID)0"] {
            #expect(withBytes(of: text) { UUIDValue($0) }?.isNil != true, "\(text)")
        }
    }
}
