import CSystem
import Synchronization

/// What each thread's last call came to. It is kept under a POSIX thread key: a thread-local variable in a shared
/// library would make it need the dynamic linker as a library of its own.
package enum ThreadRecord {
    /// The longest text, its NUL included; a longer one is cut at a character.
    private static var textCapacity: Int { 512 }

    private struct Record {
        var status: Int32
        var text: UnsafeMutablePointer<CChar>
    }

    /// The key plus 1; 0 before there is one.
    private static let key = Atomic<UInt64>(0)

    /// There was no memory for the record of some thread. Threads without one then say that Hanko could not be asked: to
    /// say that there was no token would log a user out.
    private static let isLosing = Atomic<Bool>(false)
    private static var lossText: StaticString {
        "the result of the call could not be kept: this process ran out of memory"
    }

    /// Notes the result of this thread's call.
    ///
    /// - Returns: false where there is no memory for that; the call must then not say that it went well.
    package static func note(_ result: CallResult) -> Bool {
        guard let record = current(create: true) else {
            isLosing.store(true, ordering: .relaxed)
            return false
        }
        record.pointee.status = result.status.rawValue
        CutText.copy(result.text, to: record.pointee.text, capacity: textCapacity)
        return true
    }

    /// The status of this thread's last call; `noToken` before the first.
    package static var status: Int32 {
        if let record = current(create: false) { return record.pointee.status }
        return (isLosing.load(ordering: .relaxed) ? Status.unavailable : Status.noToken).rawValue
    }

    /// The text of this thread's last call; empty before the first.
    package static var text: UnsafePointer<CChar> {
        if let record = current(create: false) { return UnsafePointer(record.pointee.text) }
        let constant: StaticString = isLosing.load(ordering: .relaxed) ? lossText : ""
        return UnsafeRawPointer(constant.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private static func current(create: Bool) -> UnsafeMutablePointer<Record>? {
        guard let key = threadKey(create: create) else { return nil }
        if let known = pthread_getspecific(key) { return known.assumingMemoryBound(to: Record.self) }
        guard create, let memory = malloc(MemoryLayout<Record>.size &+ textCapacity) else { return nil }
        let record = memory.assumingMemoryBound(to: Record.self)
        let text = (memory + MemoryLayout<Record>.size).assumingMemoryBound(to: CChar.self)
        text[0] = 0
        record.initialize(to: Record(status: Status.noToken.rawValue, text: text))
        guard pthread_setspecific(key, memory) == 0 else {
            free(memory)
            return nil
        }
        return record
    }

    private static func threadKey(create: Bool) -> pthread_key_t? {
        let known = key.load(ordering: .acquiring)
        if known != 0 { return pthread_key_t(truncatingIfNeeded: known &- 1) }
        guard create else { return nil }
        var fresh = pthread_key_t()
        guard pthread_key_create(&fresh, { free($0) }) == 0 else { return nil }
        let (won, found) = key.compareExchange(
            expected: 0, desired: UInt64(fresh) &+ 1, ordering: .acquiringAndReleasing)
        if won { return fresh }
        pthread_key_delete(fresh)
        return pthread_key_t(truncatingIfNeeded: found &- 1)
    }
}
