import CSystem

/// An environment together with where each of its entries stood, so that a call need not read them all again to see that
/// nothing has changed: it compares addresses, and reads our own entries and the last ones only.
///
/// What the C library's functions change moves an address: setenv and putenv of a new name put it at the end, unsetenv
/// moves what follows. The last ones are read because a text that was given to putenv may have been freed, and the next
/// one may have its address as well as its place. What would be missed is a text further up that the host rewrites so
/// that it becomes a variable of ours; one that was ours already is read each time. For one thread at a time.
package final class WatchedEnvironment {
    package let environment: Environment

    /// Whether what follows is known.
    private var isRemembered = false
    private var entries: ProcessEnvironment.Entries?
    /// Copies of the addresses at `entries`, without the nil at the end.
    private var places: ProcessEnvironment.Entries?
    private var count = 0
    private var capacity = 0
    /// Which of them are ours.
    private var ours: [Int] = []

    /// How many of the last ones are read.
    private static var tailCount: Int { 64 }
    /// Beyond so many entries nothing is remembered.
    private static var maximumCount: Int { 1_000_000 }

    package init(_ environment: Environment) { self.environment = environment }

    deinit { free(places) }

    /// Whether the process still has exactly these variables.
    package func isCurrent() -> Bool {
        if isRemembered, isInPlace(), hasOurTexts() { return true }
        isRemembered = false
        guard environment.isCurrent() else { return false }
        remember()
        // Another thread may have changed it meanwhile, against the rule in the header.
        isRemembered = isRemembered && isInPlace() && hasOurTexts()
        return true
    }

    private func isInPlace() -> Bool {
        let found = ProcessEnvironment.entries
        guard found == entries else { return false }
        guard let found, let places else { return found == nil }
        return Int(hanko_count_same_entries(found, places, Int(count))) == count && found[count] == nil
    }

    /// Whether our entries say what they said, and no other has become one of ours.
    private func hasOurTexts() -> Bool {
        guard let places else { return environment.hasEntries { _ in } }
        let tail = max(0, count &- Self.tailCount)
        var inTail = 0
        let isSame = environment.hasEntries { body in
            for index in ours {
                if index >= tail { inTail &+= 1 }
                guard let entry = places[index], body(entry) else { return }
            }
        }
        guard isSame else { return false }
        var index = tail
        while index < count {
            if let entry = places[index], hanko_is_ours(entry) != 0 { inTail &-= 1 }
            index &+= 1
        }
        return inTail == 0
    }

    private func remember() {
        ours.removeAll(keepingCapacity: true)
        count = 0
        entries = ProcessEnvironment.entries
        guard let entries else {
            isRemembered = true
            return
        }
        var length = 0
        while length <= Self.maximumCount, entries[length] != nil { length &+= 1 }
        guard length <= Self.maximumCount, let places = room(for: length) else { return }
        while count < length, let entry = entries[count] {
            places[count] = entry
            if hanko_is_ours(entry) != 0 { ours.append(count) }
            count &+= 1
        }
        isRemembered = true
    }

    /// Memory for so many addresses; nil where there is none.
    private func room(for length: Int) -> ProcessEnvironment.Entries? {
        if let places, capacity >= length { return places }
        // Somewhat more, because variables come one by one.
        let wanted = length &+ length / 4 &+ 16
        let size = wanted &* MemoryLayout<UnsafeMutablePointer<CChar>?>.stride
        guard let memory = malloc(size) else { return nil }
        free(places)
        let fresh = memory.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
        places = fresh
        capacity = wanted
        return fresh
    }
}
