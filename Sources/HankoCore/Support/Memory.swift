import CSystem

/// Whether there is memory for what a call needs at most besides tokens and answers. Objects of Swift end the process
/// where there is none, so it is asked for first, in one piece; a call that finds none ends with a status.
package enum Memory {
    private static var enoughForACall: Int { 65_536 }

    package static var isAvailable: Bool { hanko_has_memory(enoughForACall) != 0 }
}
