import CSystem

/// Whether there is memory for what a call needs besides tokens and answers. Objects of Swift end the process where there
/// is none, so a call asks first, and ends with a status where memory is short.
package enum Memory {
    #if hasFeature(Embedded)
        /// What begins while memory is short ends here; what was under way before has the reserve.
        package static var isAvailable: Bool { MemoryReserve.isWhole || MemoryReserve.restore() }
    #else
        // Ordinary Swift's runtime allocates inside of itself, where no reserve can serve it.
        private static var enoughForACall: Int { 65_536 }

        package static var isAvailable: Bool { hanko_has_memory(enoughForACall) != 0 }
    #endif
}
