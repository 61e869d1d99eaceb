import CSystem

/// Bits that nobody outside can foresee; nothing secret hangs on them.
enum Random {
    static func bits() -> UInt64 {
        // SplitMix64 over the time, which differs from call to call.
        var mixed = UInt64(bitPattern: Clock.monotonicNanoseconds()) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
