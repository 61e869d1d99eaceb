import CSystem

/// Numbers that nobody can foresee, from the system, fetched many at a time.
///
/// They belong to one process: a child that was forked must not use its parent's.
struct RandomNumbers: ~Copyable {
    private static var capacity: Int { 32 }

    private let numbers: UnsafeMutablePointer<UInt64>?
    private var left = 0

    init() { numbers = malloc(Self.capacity &* 8)?.bindMemory(to: UInt64.self, capacity: Self.capacity) }

    deinit { free(numbers) }

    /// - Returns: nil when there is no memory, or the system has none.
    mutating func next() -> UInt64? {
        guard let numbers else { return nil }
        if left == 0 {
            let size = Self.capacity &* 8
            while true {
                let count = getrandom(numbers, size, 0)
                if count == size { break }
                guard count < 0, hanko_errno() == EINTR else { return nil }
            }
            left = Self.capacity
        }
        left &-= 1
        let number = numbers[left]
        // It is used once.
        numbers[left] = 0
        return number
    }
}
