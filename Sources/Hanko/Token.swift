public import CHanko
import CSystem
import HankoCore

@implementation @_cdecl("hanko_extract_token")
public func hanko_extract_token(
    _ cookie: UnsafePointer<CChar>?, _ cookie_length: Int, _ authorization: UnsafePointer<CChar>?,
    _ authorization_length: Int, _ cookie_name: UnsafePointer<CChar>?, _ buffer: UnsafeMutablePointer<CChar>?,
    _ capacity: Int, _ length: UnsafeMutablePointer<Int>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard buffer != nil || capacity == 0 else {
        return CallResult.invalidArgument("buffer is NULL but has a capacity").noted()
    }
    guard cookie_name == nil || Memory.isAvailable else { return CallResult(ClientError.memoryShortage).noted() }
    var configuration = Configuration()
    do {
        if cookie_name != nil { try configuration.setCookieName(CText.view(cookie_name)) }
    } catch {
        return CallResult(status: .misconfigured, text: "the cookie name \(error.text)").noted()
    }
    let cookie = CText.view(cookie, cookie_length)
    let authorization = CText.view(authorization, authorization_length)
    if cookie.contains(0) || authorization.contains(0) { return CallResult(.headerHoldsNUL).noted() }
    let first = configuration.cookieName.withUnsafeBufferPointer { name in
        var values = CredentialValues(cookie: cookie, authorization: authorization, cookieName: ByteView(name))
        return values.next()
    }
    guard let token = first else { return CallResult(.noToken).noted() }
    // Compared without a sum, which could overflow; a capacity beyond Int is seen as negative and as enough.
    let fits = buffer != nil && UInt(bitPattern: capacity) > UInt(token.count)
    let result =
        fits
        ? CallResult.ok
        : CallResult(status: .bufferTooSmall, text: "the buffer is too small for the token and its NUL")
    let status = result.noted()
    guard status == result.status.rawValue else { return status }
    // The one output that a failure has, too.
    if let length { length.pointee = token.count }
    guard fits, let buffer, let start = token.start else { return status }
    memcpy(buffer, start, token.count)
    buffer[token.count] = 0
    return status
}
