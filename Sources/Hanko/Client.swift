public import CHanko
import HankoCore

/// Gives a result to C: its session, if somebody wants it, and its status.
private func deliver(_ result: CallResult, _ out: UnsafeMutablePointer<OpaquePointer?>?) -> hanko_status {
    let status = result.noted()
    if let out { out.pointee = status == Status.ok.rawValue ? result.session.map { Handle.make($0) } : nil }
    return status
}

private let clientIsNull = "client is NULL" as StaticString

@implementation @_cdecl("hanko_client_new")
public func hanko_client_new(
    _ config: OpaquePointer?, _ client: UnsafeMutablePointer<OpaquePointer?>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let client else { return CallResult.invalidArgument(clientIsNull).noted() }
    client.pointee = nil
    do {
        let made: Client
        if let config {
            made = try Client.make(configuration(of: config))
        } else {
            made = try Client.ofEnvironment()
        }
        let status = CallResult.ok.noted()
        if status == Status.ok.rawValue { client.pointee = Handle.make(made) }
        return status
    } catch {
        return CallResult(error).noted()
    }
}

@implementation @_cdecl("hanko_client_check")
public func hanko_client_check(_ client: OpaquePointer?) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let client else { return CallResult.invalidArgument(clientIsNull).noted() }
    return Handle.object(client, as: Client.self).check().noted()
}

@implementation @_cdecl("hanko_client_validate")
public func hanko_client_validate(
    _ client: OpaquePointer?, _ token: UnsafePointer<CChar>?, _ token_length: Int,
    _ session: UnsafeMutablePointer<OpaquePointer?>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let client else { return deliver(.invalidArgument(clientIsNull), session) }
    let result = Handle.object(client, as: Client.self).validate(
        CText.view(token, token_length), wantsSession: session != nil)
    return deliver(result, session)
}

@implementation @_cdecl("hanko_client_authenticate")
public func hanko_client_authenticate(
    _ client: OpaquePointer?, _ cookie: UnsafePointer<CChar>?, _ cookie_length: Int,
    _ authorization: UnsafePointer<CChar>?, _ authorization_length: Int,
    _ session: UnsafeMutablePointer<OpaquePointer?>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let client else { return deliver(.invalidArgument(clientIsNull), session) }
    let result = Handle.object(client, as: Client.self).authenticate(
        cookie: CText.view(cookie, cookie_length), authorization: CText.view(authorization, authorization_length),
        wantsSession: session != nil)
    return deliver(result, session)
}

@implementation @_cdecl("hanko_client_free")
public func hanko_client_free(_ client: OpaquePointer?) {
    let guarded = CallGuard()
    defer { guarded.end() }
    Handle.free(client, as: Client.self)
}
