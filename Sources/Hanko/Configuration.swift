public import CHanko
import HankoCore

/// What a `hanko_config` stands for.
private final class ConfigurationHandle {
    var configuration = Configuration()
}

/// Changes a config. A value that is not allowed leaves it as it was: each setter of the core looks before it assigns.
private func change(
    _ config: OpaquePointer?, _ name: StaticString,
    _ body: (inout Configuration) throws(ConfigurationError) -> Void
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let config else { return CallResult.invalidArgument("config is NULL").noted() }
    guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage).noted() }
    do {
        try body(&Handle.object(config, as: ConfigurationHandle.self).configuration)
    } catch {
        return refuse(name, error)
    }
    return CallResult.ok.noted()
}

/// Not inlined: `change` is compiled once for each option.
@inline(never)
private func refuse(_ name: StaticString, _ error: ConfigurationError) -> hanko_status {
    CallResult(ClientError(problem: "\(name) \(error.text)", isShortage: error.isShortage)).noted()
}

/// Likewise with a text, which must not be NULL.
private func change(
    _ config: OpaquePointer?, _ name: StaticString, _ text: UnsafePointer<CChar>?,
    _ body: (inout Configuration, ByteView) throws(ConfigurationError) -> Void
) -> hanko_status {
    guard text != nil else { return CallResult.invalidArgument("the text is NULL").noted() }
    return change(config, name) { (configuration) throws(ConfigurationError) in
        try body(&configuration, CText.view(text))
    }
}

/// The configuration of a handle, for the client that is made with it.
func configuration(of config: OpaquePointer) -> Configuration {
    Handle.object(config, as: ConfigurationHandle.self).configuration
}

@implementation @_cdecl("hanko_config_new")
public func hanko_config_new() -> OpaquePointer? {
    let guarded = CallGuard()
    defer { guarded.end() }
    return Memory.isAvailable ? Handle.make(ConfigurationHandle()) : nil
}

@implementation @_cdecl("hanko_config_load_environment")
public func hanko_config_load_environment(_ config: OpaquePointer?) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let config else { return CallResult.invalidArgument("config is NULL").noted() }
    guard Memory.isAvailable else { return CallResult(ClientError.memoryShortage).noted() }
    let handle = Handle.object(config, as: ConfigurationHandle.self)
    var changed = handle.configuration
    do {
        try changed.load(Environment.ofProcess())
    } catch {
        return CallResult(error).noted()
    }
    handle.configuration = changed
    return CallResult.ok.noted()
}

@implementation @_cdecl("hanko_config_set_api_url")
public func hanko_config_set_api_url(_ config: OpaquePointer?, _ url: UnsafePointer<CChar>?) -> hanko_status {
    change(config, "the API URL", url) { (configuration, text) throws(ConfigurationError) in
        try configuration.setAPIURL(text)
    }
}

@implementation @_cdecl("hanko_config_set_cookie_name")
public func hanko_config_set_cookie_name(_ config: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> hanko_status {
    change(config, "the cookie name", name) { (configuration, text) throws(ConfigurationError) in
        try configuration.setCookieName(text)
    }
}

@implementation @_cdecl("hanko_config_set_timeout_ms")
public func hanko_config_set_timeout_ms(_ config: OpaquePointer?, _ milliseconds: UInt32) -> hanko_status {
    change(config, "the timeout") { (configuration) throws(ConfigurationError) in
        try configuration.setTimeout(milliseconds: Int64(milliseconds))
    }
}

@implementation @_cdecl("hanko_config_set_connect_timeout_ms")
public func hanko_config_set_connect_timeout_ms(_ config: OpaquePointer?, _ milliseconds: UInt32) -> hanko_status {
    change(config, "the connect timeout") { (configuration) throws(ConfigurationError) in
        try configuration.setConnectTimeout(milliseconds: Int64(milliseconds))
    }
}

@implementation @_cdecl("hanko_config_set_max_retries")
public func hanko_config_set_max_retries(_ config: OpaquePointer?, _ count: UInt32) -> hanko_status {
    change(config, "the number of retries") { (configuration) throws(ConfigurationError) in
        try configuration.setMaximumRetries(Int64(count))
    }
}

@implementation @_cdecl("hanko_config_set_max_connections")
public func hanko_config_set_max_connections(_ config: OpaquePointer?, _ count: UInt32) -> hanko_status {
    change(config, "the number of connections") { (configuration) throws(ConfigurationError) in
        try configuration.setMaximumConnections(Int64(count))
    }
}

@implementation @_cdecl("hanko_config_set_ca_file")
public func hanko_config_set_ca_file(_ config: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> hanko_status {
    change(config, "the CA file") { (configuration) throws(ConfigurationError) in
        if path == nil {
            configuration.clearCAFile()
        } else {
            try configuration.setCAFile(CText.view(path))
        }
    }
}

@implementation @_cdecl("hanko_config_set_allow_insecure_http")
public func hanko_config_set_allow_insecure_http(_ config: OpaquePointer?, _ allowed: Int32) -> hanko_status {
    change(config, "allowing insecure http") { (configuration) throws(ConfigurationError) in
        try configuration.setAllowsInsecureHTTP(Int64(allowed))
    }
}

@implementation @_cdecl("hanko_config_add_audience")
public func hanko_config_add_audience(_ config: OpaquePointer?, _ audience: UnsafePointer<CChar>?) -> hanko_status {
    change(config, "an audience", audience) { (configuration, text) throws(ConfigurationError) in
        try configuration.addAudience(text)
    }
}

@implementation @_cdecl("hanko_config_clear_audiences")
public func hanko_config_clear_audiences(_ config: OpaquePointer?) -> hanko_status {
    change(config, "the audiences") { (configuration) throws(ConfigurationError) in configuration.clearAudiences() }
}

@implementation @_cdecl("hanko_config_set_confirm_rejections")
public func hanko_config_set_confirm_rejections(_ config: OpaquePointer?, _ confirm: Int32) -> hanko_status {
    change(config, "confirming rejections") { (configuration) throws(ConfigurationError) in
        try configuration.setConfirmsRejections(Int64(confirm))
    }
}

@implementation @_cdecl("hanko_config_set_logger")
public func hanko_config_set_logger(
    _ config: OpaquePointer?, _ logger: hanko_log_function?, _ context: UnsafeMutableRawPointer?,
    _ level: hanko_log_level
) -> hanko_status {
    change(config, "the logger") { (configuration) throws(ConfigurationError) in
        try configuration.setLogger(logger.map { .function($0, context: context) } ?? .standardError, level: level)
    }
}

@implementation @_cdecl("hanko_config_free")
public func hanko_config_free(_ config: OpaquePointer?) {
    let guarded = CallGuard()
    defer { guarded.end() }
    Handle.free(config, as: ConfigurationHandle.self)
}
