public import CHanko
import CSystem
import HankoCore

@implementation @_cdecl("hanko_initialize")
public func hanko_initialize() -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    return Client.initialize().noted()
}

@implementation @_cdecl("hanko_validate")
public func hanko_validate(_ session_token: UnsafePointer<CChar>?) -> Int32 {
    let guarded = CallGuard()
    defer { guarded.end() }
    // One byte more than a token may have shows that it is too long; what follows is not read.
    let length = session_token.map { strnlen($0, SessionToken.maximumLength &+ 1) } ?? 0
    let result = EnvironmentClient.validate(CText.view(session_token, Int(length)))
    return result.noted() == Status.ok.rawValue ? 1 : 0
}
