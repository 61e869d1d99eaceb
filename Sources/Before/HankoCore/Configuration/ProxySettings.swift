import CSystem

/// The proxy of the environment, chosen as libcurl would (its manual, "Environment variables"), but read once, when a
/// client is made, on the thread that makes it. libcurl itself calls getenv for each request, on threads of ours, while
/// the host may be changing a variable.
package struct ProxySettings {
    /// For libcurl, with a NUL at the end; no more than that: no proxy.
    package let url: [UInt8]
    /// The hosts that are asked directly, likewise.
    package let exceptions: [UInt8]

    package static var none: ProxySettings { ProxySettings(url: [0], exceptions: [0]) }

    /// Reads the variables; in a process with raised privileges there are none.
    package static func ofEnvironment(isHTTPS: Bool) -> ProxySettings {
        // In a CGI program HTTP_PROXY is a header of the request: whoever asks could choose it.
        let own = isHTTPS ? value("https_proxy") ?? value("HTTPS_PROXY") : value("http_proxy")
        return ProxySettings(
            url: own ?? value("all_proxy") ?? value("ALL_PROXY") ?? [0],
            exceptions: value("no_proxy") ?? value("NO_PROXY") ?? [0])
    }

    /// An empty variable counts as unset.
    @inline(never)
    private static func value(_ name: StaticString) -> [UInt8]? {
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let value = secure_getenv(name), value[0] != 0 else { return nil }
        return UnsafeRawPointer(value).withMemoryRebound(to: UInt8.self, capacity: strlen(value) &+ 1) {
            ByteView($0, count: strlen(value) &+ 1).bytes()
        }
    }
}
