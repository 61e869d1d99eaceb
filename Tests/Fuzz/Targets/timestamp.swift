import HankoCore

/// Times as Hanko writes them: the input as it is, and one in the right form made from its bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func readTime(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    check(bytes)
    if bytes.count >= 12 { check(formed(from: bytes)) }
    return 0
}

private func check(_ text: [UInt8]) {
    let time = withExactCopy(text) { Timestamp.rfc3339($0) }
    require(time == TimeModel.rfc3339(text), "a time of RFC 3339")
    let number = withExactCopy(text) { Timestamp.numericDate($0) }
    // The reader hands over well-formed numbers only; on everything else the function must merely survive.
    if case .number(let digits) = JSONModel.parse(text), digits == text {
        require(number == TimeModel.numericDate(text), "a NumericDate")
    }
}

/// A time whose numbers lie within their bounds, or just outside of them.
private func formed(from bytes: [UInt8]) -> [UInt8] {
    func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let byte = bytes.map(Int.init)
    var text =
        digits((byte[0] << 8 | byte[1]) % 10_000, 4) + "-" + digits(byte[2] % 14, 2) + "-" + digits(byte[3] % 33, 2)
    text += byte[4] % 8 == 0 ? "t" : "T"
    text += digits(byte[5] % 25, 2) + ":" + digits(byte[6] % 61, 2) + ":" + digits(byte[7] % 62, 2)
    if byte[8] % 3 == 0 { text += "." + digits(byte[9] << 8 | byte[10], byte[8] % 12) }
    switch byte[11] % 4 {
    case 0: text += "Z"
    case 1: text += "+" + digits(byte[9] % 25, 2) + ":" + digits(byte[10] % 61, 2)
    case 2: text += "-" + digits(byte[9] % 25, 2) + ":" + digits(byte[10] % 61, 2)
    default: text += "z"
    }
    return Array(text.utf8)
}
