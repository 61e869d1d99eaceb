public import CHanko
import HankoCore

@implementation @_cdecl("hanko_last_status")
public func hanko_last_status() -> hanko_status {
    ThreadRecord.status
}

@implementation @_cdecl("hanko_last_error")
public func hanko_last_error() -> UnsafePointer<CChar>? {
    ThreadRecord.text
}

extension CallResult {
    /// Keeps the result as that of this thread's last call, and gives its status. To be called before anything is written
    /// for the caller: without memory to keep the result the status is another one.
    @inline(never)  // every function of the C layer calls it
    func noted() -> hanko_status {
        (ThreadRecord.note(self) ? status : .unavailable).rawValue
    }
}
