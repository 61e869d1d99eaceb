extension ASCII {
    /// Whether a byte may stand in a token (RFC 9110 section 5.6.2), the name of a field for example.
    @inline(__always)
    static func isTokenByte(_ byte: UInt8) -> Bool {
        // One bit for each ASCII byte.
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }
}
