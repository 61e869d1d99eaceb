extension Credentials {
    /// Looks through headers for the cookie that is configured.
    package init(cookie: ByteView, authorization: ByteView, _ configuration: Configuration, now: Int64) {
        self = configuration.cookieName.withUnsafeBufferPointer {
            Credentials(cookie: cookie, authorization: authorization, cookieName: ByteView($0), now: now)
        }
    }
}
