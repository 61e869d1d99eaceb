public import CHanko
import HankoCore

@implementation @_cdecl("hanko_last_status")
public func hanko_last_status() -> hanko_status {
    ThreadRecord.status
}

@implementation @_cdecl("hanko_last_error")
public func hanko_last_error() -> UnsafePointer<CChar>? {
    ThreadRecord.text ?? CText.constant("")
}

extension CallResult {
    /// Keeps the result as that of this thread's last call, and gives its status.
    func noted() -> hanko_status {
        ThreadRecord.note(self)
        return status.rawValue
    }
}
