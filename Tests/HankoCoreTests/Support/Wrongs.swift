import Synchronization

/// Counts from any thread what should not have happened.
final class Wrongs: Sendable {
    private let noted = Atomic<Int>(0)

    var count: Int { noted.load(ordering: .sequentiallyConsistent) }

    func note() { noted.add(1, ordering: .sequentiallyConsistent) }
}
