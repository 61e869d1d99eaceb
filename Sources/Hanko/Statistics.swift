public import CHanko
import CSystem
import HankoCore

@implementation @_cdecl("hanko_client_statistics")
public func hanko_client_statistics(
    _ client: OpaquePointer?, _ statistics: UnsafeMutablePointer<hanko_statistics>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let client, let statistics else {
        return CallResult.invalidArgument("client or statistics is NULL").noted()
    }
    // A caller that was compiled against another version may have less room, or more.
    let size = UnsafeRawPointer(statistics).load(as: UInt.self)
    guard size >= UInt(MemoryLayout<UInt>.size) else {
        return CallResult.invalidArgument("struct_size of the statistics is not set").noted()
    }
    do {
        let counters = try Handle.object(client, as: Client.self).statistics()
        var values = hanko_statistics()
        withUnsafeMutableBytes(of: &values.results) { results in
            let results = results.bindMemory(to: UInt64.self)
            for index in results.indices { results[index] = counters.results(at: index) }
        }
        values.struct_size = Int(bitPattern: size)
        values.requests = counters.requests
        values.retries = counters.retries
        values.connections_opened = counters.connectionsOpened
        values.breaker_opened = counters.breakerOpenedCount
        values.in_flight = counters.inFlight
        values.hidden_key_set = counters.hiddenKeySet
        let status = CallResult.ok.noted()
        guard status == Status.ok.rawValue else { return status }
        withUnsafeBytes(of: &values) { bytes in
            if let start = bytes.baseAddress { memcpy(statistics, start, Int(min(size, UInt(bytes.count)))) }
        }
        return status
    } catch {
        return CallResult(error).noted()
    }
}
