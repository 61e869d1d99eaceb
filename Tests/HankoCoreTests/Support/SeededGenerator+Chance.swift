extension SeededGenerator {
    /// From 0 up to `count`, which is left out. Quicker than `Int.random`, for tests that need very many.
    mutating func below(_ count: Int) -> Int { Int(truncatingIfNeeded: (next() >> 33) % UInt64(count)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
