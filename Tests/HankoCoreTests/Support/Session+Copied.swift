import HankoCore

extension Session {
    /// One of the texts as a Swift string. The session lives at least until it is copied, which a pointer alone does not
    /// make sure of.
    func copied(_ text: KeyPath<Session, UnsafePointer<CChar>?>) -> String? {
        withExtendedLifetime(self) { self[keyPath: text].map { String(cString: $0) } }
    }
}
