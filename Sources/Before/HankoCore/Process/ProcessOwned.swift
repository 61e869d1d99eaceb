import Synchronization

/// An object of which each process has its own. A child that was forked makes its own and leaves its parent's alone:
/// another thread may have held the locks in it, and its connections are the parent's.
protocol ProcessOwned: AnyObject {
    /// The process it belongs to.
    var generation: UInt { get }
}

extension ProcessOwned {
    /// Whether this is the process it was made in.
    var isOfThisProcess: Bool { generation == ForkGeneration.current() }

    var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    /// The object at an address, whichever process it belongs to; nil for 0.
    static func object(at address: UInt) -> Self? {
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { return nil }
        return Unmanaged<Self>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The object of this process, made where there is none yet.
    ///
    /// - Parameters:
    ///   - known: the address of the one that was made last, 0 before the first. What is replaced there is not freed.
    ///   - make: makes one for this process. Where two threads do that at a time, one of the two objects is dropped.
    static func current<Failure>(
        at known: borrowing Atomic<UInt>, make: (_ generation: UInt) throws(Failure) -> Self
    ) throws(Failure) -> Self {
        let generation = ForkGeneration.current()
        var found = known.load(ordering: .acquiring)
        while true {
            if let object = object(at: found), object.generation == generation { return object }
            let fresh = Unmanaged.passRetained(try make(generation))
            let (won, other) = known.compareExchange(
                expected: found, desired: UInt(bitPattern: fresh.toOpaque()), ordering: .acquiringAndReleasing)
            if won { return fresh.takeUnretainedValue() }
            fresh.release()
            found = other
        }
    }
}
