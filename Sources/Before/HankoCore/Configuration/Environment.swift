import CSystem

/// The variables of the process whose names begin with `HANKO_`, as they were at one moment.
package struct Environment {
    /// The entries as `NAME=value`, each with a terminating NUL, in the order of the process.
    private var entries: [UInt8]
    /// A variable is set that this process, which runs with raised privileges, must not believe.
    package let isHidden: Bool

    /// An environment of given entries.
    ///
    /// - Parameters:
    ///   - entries: `NAME=value`, each followed by a NUL.
    ///   - isHidden: whether the process must not believe them.
    package init(entries: [UInt8], isHidden: Bool = false) {
        self.entries = entries
        self.isHidden = isHidden
    }

    /// Reads the environment of the process. Another thread may be changing it, against the rule in the header: a
    /// reading counts only when a second one agrees, which makes a torn one improbable.
    package static func ofProcess() -> Environment {
        var environment = readProcess()
        var attempts = 0
        while attempts < 8, !environment.isCurrent() {
            environment = readProcess()
            attempts &+= 1
        }
        return environment
    }

    private static func readProcess() -> Environment {
        var entries: [UInt8] = []
        ProcessEnvironment.forEachOfOurs { entry in
            var position = 0
            while entry[position] != 0 {
                entries.append(UInt8(bitPattern: entry[position]))
                position &+= 1
            }
            entries.append(0)
            return true
        }
        // As secure_getenv decides it.
        let isHidden = !entries.isEmpty && hanko_runs_with_raised_privileges() != 0
        return Environment(entries: entries, isHidden: isHidden)
    }

    /// Whether the process still has exactly these variables. It allocates nothing.
    package func isCurrent() -> Bool {
        hasEntries { body in ProcessEnvironment.forEachOfOurs(body) }
    }

    /// Whether the entries that a function gives one after the other, until it is answered false, are exactly these.
    func hasEntries(_ forEach: ((UnsafePointer<CChar>) -> Bool) -> Void) -> Bool {
        entries.withUnsafeBufferPointer { buffer in
            let known = ByteView(buffer)
            var position = 0
            var isSame = true
            forEach { entry in
                var offset = 0
                repeat {
                    guard position < known.count, known[position] == UInt8(bitPattern: entry[offset]) else {
                        isSame = false
                        return false
                    }
                    position &+= 1
                    offset &+= 1
                } while known[position &- 1] != 0
                return true
            }
            return isSame && position == known.count
        }
    }

    /// The value of a variable, the first if there are several; nil when it is not set, or empty where that counts as
    /// unset.
    package func withValue<Result>(
        of variable: EnvironmentVariable, _ body: (ByteView) throws(ConfigurationError) -> Result
    ) throws(ConfigurationError) -> Result? {
        guard let (start, end) = range(of: variable) else { return nil }
        if start == end, !variable.countsWhenEmpty { return nil }
        let value = [UInt8](entries[start..<end])
        return try value.withUnsafeBufferPointer { (buffer) throws(ConfigurationError) in try body(ByteView(buffer)) }
    }

    /// Those that are near to one of ours and none, a few at most.
    package func misspelledVariables() -> [MisspelledVariable] {
        var found: [MisspelledVariable] = []
        entries.withUnsafeBufferPointer { buffer in
            let all = ByteView(buffer)
            var start = 0
            while start < all.count, found.count < Self.maximumMisspelled {
                let end = all.firstPosition(of: 0, from: start) ?? all.count
                let entry = all.slice(from: start, to: end)
                let name = entry.slice(from: 0, to: entry.firstPosition(of: ASCII.equals) ?? entry.count)
                if let meant = NearName.meant(by: name) {
                    found.append(MisspelledVariable(name: name.bytes(), meant: meant))
                }
                start = end &+ 1
            }
        }
        return found
    }

    private static var maximumMisspelled: Int { 16 }

    private func range(of variable: EnvironmentVariable) -> (Int, Int)? {
        entries.withUnsafeBufferPointer { buffer in
            let all = ByteView(buffer)
            let name = ByteView(variable.name)
            var start = 0
            while start < all.count {
                let end = all.firstPosition(of: 0, from: start) ?? all.count
                let entry = all.slice(from: start, to: end)
                if entry.hasPrefix(name), entry[name.count] == ASCII.equals { return (start &+ name.count &+ 1, end) }
                start = end &+ 1
            }
            return nil
        }
    }
}
