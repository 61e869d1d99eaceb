public import CHanko
import HankoCore

@implementation @_cdecl("hanko_status_name")
public func hanko_status_name(_ status: hanko_status) -> UnsafePointer<CChar>? {
    CText.constant(Status(rawValue: status)?.name ?? Status.unknownName)
}

@implementation @_cdecl("hanko_status_message")
public func hanko_status_message(_ status: hanko_status) -> UnsafePointer<CChar>? {
    CText.constant(Status(rawValue: status)?.clientMessage ?? Status.unknownClientMessage)
}
