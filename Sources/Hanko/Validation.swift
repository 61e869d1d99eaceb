public import CHanko
import CSystem
import HankoCore

@implementation @_cdecl("hanko_initialize")
public func hanko_initialize() -> hanko_status {
    let result = HostProcess.current().initialize()
    ThreadRecord.note(result)
    return result.status.rawValue
}

@implementation @_cdecl("hanko_validate")
public func hanko_validate(_ session_token: UnsafePointer<CChar>?) -> Int32 {
    // One byte more than a token may have shows that it is too long; what follows is not read.
    let length = session_token.map { strnlen($0, SessionToken.maximumLength &+ 1) } ?? 0
    let bytes = UnsafeRawPointer(session_token)?.assumingMemoryBound(to: UInt8.self)
    let result = HostProcess.current().validate(ByteView(bytes, count: Int(length)))
    ThreadRecord.note(result)
    return result.status == .ok ? 1 : 0
}
