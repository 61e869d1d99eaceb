extension Credentials {
    /// Looks through headers for the cookie that is configured.
    package init(cookie: ByteView, authorization: ByteView, _ configuration: Configuration, now: Int64) {
        self = configuration.cookieName.withUnsafeBufferPointer {
            Credentials(cookie: cookie, authorization: authorization, cookieName: ByteView($0), now: now)
        }
    }

    /// What stands first where a token stands, with the cookie that is configured.
    package static func firstValue(
        cookie: ByteView, authorization: ByteView, _ configuration: Configuration
    ) -> ByteView? {
        configuration.cookieName.withUnsafeBufferPointer {
            firstValue(cookie: cookie, authorization: authorization, cookieName: ByteView($0))
        }
    }
}
