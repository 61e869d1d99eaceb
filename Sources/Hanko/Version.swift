import CHanko
import HankoCore

@implementation @_cdecl("hanko_version")
public func hanko_version() -> UnsafePointer<CChar>? {
    CText.constant(LibraryVersion.text)
}

@implementation @_cdecl("hanko_version_number")
public func hanko_version_number() -> UInt32 {
    LibraryVersion.number
}
