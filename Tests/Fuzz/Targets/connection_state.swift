import HankoCore

/// One connection, to which happens what the input says (`ConnectionInput`): whatever it is, nothing is sent without a
/// look, nothing that comes too early is a yes or a no, and nothing is kept that has not ended where it said.
@_cdecl("LLVMFuzzerTestOneInput")
public func useConnection(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = input(data, size)
    let whole = ConnectionCourse.run(ConnectionInput(bytes))
    // A driver that receives one byte at a time learns the same from its first exchange. Only what is surplus in the
    // same piece comes later then.
    let single = ConnectionCourse.run(ConnectionInput(bytes, receivesSingleBytes: true))
    guard let first = whole.first, let second = single.first else {
        require(whole.isEmpty && single.isEmpty, "an exchange more")
        return 0
    }
    require(first.end == second.end, "how the bytes are cut makes a difference")
    require(first.isKept == second.isKept || first.spokeUnasked && second.isKept, "it is kept by how the bytes are cut")
    ConnectionCourse.runWild(ConnectionInput(bytes))
    return 0
}
