#if hasFeature(Embedded)
    import CSystem

    // What Embedded Swift's runtime allocates with. The linker leads all calls of the two functions that this library
    // makes to these here (--wrap); the process' own are behind their names with __real_.

    /// How often a thread asks again, each time after a millisecond, when the reserve has nothing for it either. After
    /// that the runtime ends the process, so waiting is better for a second.
    private var lastResorts: Int { 1000 }

    @_cdecl("__wrap_posix_memalign")
    public func allocateForRuntime(
        _ memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
    ) -> Int32 {
        let code = __real_posix_memalign(memory, alignment, size)
        return code == 0 ? code : allocateInShortage(memory, alignment, size, code)
    }

    @inline(never)
    private func allocateInShortage(
        _ memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int, _ code: Int32
    ) -> Int32 {
        guard code == ENOMEM else { return code }
        var tries = 0
        while true {
            if alignment <= ReserveChunk.blockSize, let found = MemoryReserve.allocate(size) {
                memory.pointee = found
                return 0
            }
            guard tries < lastResorts else { return code }
            tries &+= 1
            Clock.sleep(until: Clock.monotonicNanoseconds() &+ 1_000_000)
            if __real_posix_memalign(memory, alignment, size) == 0 { return 0 }
        }
    }

    @_cdecl("__wrap_free")
    public func freeForRuntime(_ memory: UnsafeMutableRawPointer?) {
        if MemoryReserve.mayHold(memory), let memory, MemoryReserve.free(memory) { return }
        __real_free(memory)
    }
#endif
