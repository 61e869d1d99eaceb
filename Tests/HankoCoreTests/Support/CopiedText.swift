/// A C string as a Swift one; nil stays nil.
func copied(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }
