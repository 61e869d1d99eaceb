import Synchronization

/// What all clients share in the process that loaded the library: libcurl, the descriptors that are open, the way out.
final class HostProcess: ProcessOwned, @unchecked Sendable {
    private let lock = Lock()
    let logLimiter = SharedLogLimiter()
    let misspellingLimiter = SharedNameLimiter()
    private let gate = ExitGate()
    private let descriptors = DescriptorRegistry()
    private var library: CurlLibrary?
    let generation: UInt

    private init(generation: UInt) { self.generation = generation }

    // MARK: One for each process

    /// The address of the one that was made last; 0 before the first. It is never freed: a child that forks off may
    /// still hold its parent's.
    private static let known = Atomic<UInt>(0)

    /// The one of this process.
    static func current() -> HostProcess {
        current(at: known) { generation in
            ForkHandlers.register()
            return HostProcess(generation: generation)
        }
    }

    /// The one of this process if it has been made; a parent's is not given to a child.
    static func ofThisProcess() -> HostProcess? {
        guard let process = object(at: known.load(ordering: .acquiring)), process.isOfThisProcess else { return nil }
        return process
    }

    // MARK: Around a fork

    func holdForFork() {
        lock.lock()
        descriptors.hold()
    }

    func releaseInParent() {
        descriptors.release()
        lock.unlock()
    }

    func closeInChild() {
        descriptors.closeAllInChild()
        lock.unlock()
    }

    // MARK: What clients need

    /// Checks and initialises libcurl, the first time; what all clients of this process share.
    ///
    /// The first time may take as long as the disk with the TLS library's settings. Who comes meanwhile has no client yet
    /// and needs libcurl himself; a fork waits as well, because the child could never use a library that is half
    /// initialised.
    ///
    /// - Throws: why libcurl cannot be used.
    func resources() throws(ClientError) -> ProcessResources {
        lock.lock()
        defer { lock.unlock() }
        if let library {
            return ProcessResources(library: library, descriptors: descriptors, gate: gate, logLimiter: logLimiter)
        }
        let fresh = try CurlLibrary()
        library = fresh
        // Registered after OpenSSL's own, which libcurl's initialisation brings, this runs before it.
        ExitHandler.register()
        return ProcessResources(library: fresh, descriptors: descriptors, gate: gate, logLimiter: logLimiter)
    }

    /// The process exits: nobody may be inside of libcurl when OpenSSL frees what it has.
    func closeForExit() {
        gate.close { descriptors.shutDownAll() }
    }
}
