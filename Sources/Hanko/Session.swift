import CHanko
import HankoCore

private func session(_ handle: OpaquePointer?) -> Session? { handle.map { Handle.object($0, as: Session.self) } }

@implementation @_cdecl("hanko_session_user_id")
public func hanko_session_user_id(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? { session(handle)?.userID }

@implementation @_cdecl("hanko_session_id")
public func hanko_session_id(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? { session(handle)?.sessionID }

@implementation @_cdecl("hanko_session_email")
public func hanko_session_email(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? { session(handle)?.email }

@implementation @_cdecl("hanko_session_email_verified")
public func hanko_session_email_verified(_ handle: OpaquePointer?) -> Int32 {
    session(handle)?.emailIsVerified == true ? 1 : 0
}

@implementation @_cdecl("hanko_session_username")
public func hanko_session_username(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? { session(handle)?.username }

@implementation @_cdecl("hanko_session_issued_at")
public func hanko_session_issued_at(_ handle: OpaquePointer?) -> Int64 { session(handle)?.issuedAt ?? 0 }

@implementation @_cdecl("hanko_session_expires_at")
public func hanko_session_expires_at(_ handle: OpaquePointer?) -> Int64 { session(handle)?.expiresAt ?? 0 }

@implementation @_cdecl("hanko_session_idle_expires_at")
public func hanko_session_idle_expires_at(_ handle: OpaquePointer?) -> Int64 { session(handle)?.idleExpiresAt ?? 0 }

@implementation @_cdecl("hanko_session_claims_json")
public func hanko_session_claims_json(_ handle: OpaquePointer?) -> UnsafePointer<CChar>? {
    session(handle)?.claimsJSON
}

@implementation @_cdecl("hanko_session_claim_json")
public func hanko_session_claim_json(
    _ handle: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> UnsafePointer<CChar>? {
    name == nil ? nil : session(handle)?.claimJSON(named: CText.view(name))
}

@implementation @_cdecl("hanko_session_free")
public func hanko_session_free(_ handle: OpaquePointer?) {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let handle else { return }
    Handle.object(handle, as: Session.self).giveBack()
}
