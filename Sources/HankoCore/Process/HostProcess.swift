import Synchronization

/// What all clients share in the process that loaded the library: libcurl, the descriptors that are open, the way out.
final class HostProcess: @unchecked Sendable {
    private let lock = Lock()
    let logLimiter = SharedLogLimiter()
    private let gate = ExitGate()
    private let descriptors = DescriptorRegistry()
    private var library: CurlLibrary?
    private let generation: UInt

    private init(generation: UInt) { self.generation = generation }

    // MARK: One for each process

    /// The address of the one that was made last; 0 before the first. It is never freed: a child that forks off may
    /// still hold its parent's.
    private static let known = Atomic<UInt>(0)

    /// The one of this process. A child that was forked gets its own: it does not touch what it inherited, neither the
    /// connections, which are its parent's, nor the locks, which another thread may have held.
    static func current() -> HostProcess {
        let generation = ForkGeneration.current()
        var found = known.load(ordering: .acquiring)
        while true {
            if let process = process(at: found), process.generation == generation { return process }
            ForkHandlers.register()
            let fresh = Unmanaged.passRetained(HostProcess(generation: generation))
            let (won, other) = known.compareExchange(
                expected: found, desired: UInt(bitPattern: fresh.toOpaque()), ordering: .acquiringAndReleasing)
            if won { return fresh.takeUnretainedValue() }
            fresh.release()
            found = other
        }
    }

    /// The one of this process if it has been made; a parent's is not given to a child.
    static func ofThisProcess() -> HostProcess? {
        guard let process = process(at: known.load(ordering: .acquiring)),
            process.generation == ForkGeneration.current()
        else { return nil }
        return process
    }

    var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    static func process(at address: UInt) -> HostProcess? {
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { return nil }
        return Unmanaged<HostProcess>.fromOpaque(pointer).takeUnretainedValue()
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
