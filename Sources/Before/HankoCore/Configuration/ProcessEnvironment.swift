import CSystem
import Synchronization

/// The environment of this process, where the C library keeps it. It may change between any two calls.
enum ProcessEnvironment {
    typealias Entries = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Where the address of the entries is kept, once that is known; it stays there.
    private static let place = Atomic<UInt>(0)

    /// The entries, with a nil after the last; nil when there are none.
    static var entries: Entries? {
        if let known = UnsafePointer<Entries?>(bitPattern: place.load(ordering: .relaxed)) { return known.pointee }
        guard let found = hanko_environment_place() else { return nil }
        place.store(UInt(bitPattern: found), ordering: .relaxed)
        return found.pointee
    }

    /// Calls a function with each entry whose name begins with `HANKO_`, until it answers false. An entry without a value
    /// sets nothing and is left out.
    static func forEachOfOurs(_ body: (UnsafePointer<CChar>) -> Bool) {
        guard var next = entries else { return }
        while let entry = next.pointee {
            if hanko_is_ours(entry) != 0, !body(entry) { return }
            next += 1
        }
    }
}
