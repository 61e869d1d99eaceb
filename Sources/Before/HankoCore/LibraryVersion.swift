/// The version of this library. A test compares it with the header.
package enum LibraryVersion {
    package static var text: StaticString { "0.1.0" }
    package static var number: UInt32 { 100 }
}
