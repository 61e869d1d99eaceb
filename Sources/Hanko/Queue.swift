public import CHanko
import CSystem
import HankoCore

private let queueIsNull = "queue is NULL" as StaticString

/// Hands something to a queue, if the result can be kept for the thread: what becomes of a call must not depend on that.
private func handOver(
    _ queue: OpaquePointer?, _ body: (CompletionQueue) -> CallResult
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let queue else { return CallResult.invalidArgument(queueIsNull).noted() }
    let status = CallResult.ok.noted()
    guard status == Status.ok.rawValue else { return status }
    let result = body(Handle.object(queue, as: CompletionQueue.self))
    return result.status == .ok ? status : result.noted()
}

@implementation @_cdecl("hanko_queue_new")
public func hanko_queue_new(
    _ client: OpaquePointer?, _ queue: UnsafeMutablePointer<OpaquePointer?>?
) -> hanko_status {
    let guarded = CallGuard()
    defer { guarded.end() }
    guard let queue else { return CallResult.invalidArgument(queueIsNull).noted() }
    queue.pointee = nil
    guard let client else { return CallResult.invalidArgument("client is NULL").noted() }
    do {
        let made = try Handle.object(client, as: Client.self).makeQueue()
        let status = CallResult.ok.noted()
        if status == Status.ok.rawValue { queue.pointee = Handle.make(made) }
        return status
    } catch {
        return CallResult(error).noted()
    }
}

@implementation @_cdecl("hanko_queue_file_descriptor")
public func hanko_queue_file_descriptor(_ queue: OpaquePointer?) -> Int32 {
    queue.map { Handle.object($0, as: CompletionQueue.self).descriptor } ?? -1
}

@implementation @_cdecl("hanko_queue_submit")
public func hanko_queue_submit(
    _ queue: OpaquePointer?, _ token: UnsafePointer<CChar>?, _ token_length: Int, _ tag: UInt64
) -> hanko_status {
    handOver(queue) { $0.submit(CText.view(token, token_length), tag: tag) }
}

@implementation @_cdecl("hanko_queue_submit_authenticate")
public func hanko_queue_submit_authenticate(
    _ queue: OpaquePointer?, _ cookie: UnsafePointer<CChar>?, _ cookie_length: Int,
    _ authorization: UnsafePointer<CChar>?, _ authorization_length: Int, _ tag: UInt64
) -> hanko_status {
    handOver(queue) {
        $0.submit(
            cookie: CText.view(cookie, cookie_length), authorization: CText.view(authorization, authorization_length),
            tag: tag)
    }
}

@implementation @_cdecl("hanko_queue_submit_check")
public func hanko_queue_submit_check(_ queue: OpaquePointer?, _ tag: UInt64) -> hanko_status {
    handOver(queue) { $0.submitCheck(tag: tag) }
}

@implementation @_cdecl("hanko_queue_drain")
public func hanko_queue_drain(
    _ queue: OpaquePointer?, _ completions: UnsafeMutablePointer<hanko_completion>?, _ capacity: Int,
    _ completion_size: Int
) -> Int {
    let guarded = CallGuard()
    defer { guarded.end() }
    let size = MemoryLayout<hanko_completion>.size
    // Sizes that no version of the structure has. One beyond Int is seen as negative.
    guard let queue, let completions, completion_size >= size, completion_size <= 65_536 else { return 0 }
    let start = UnsafeMutableRawPointer(completions)
    // A capacity beyond Int is seen as negative and as enough; a queue never holds as many as this.
    let maximum = capacity < 0 ? 1_000_000 : min(capacity, 1_000_000)
    return Handle.object(queue, as: CompletionQueue.self).drain(maximum) {
        index, completion in
        let place = start + index &* completion_size
        // The caller's structure may be one of a later version; what this one does not know is 0.
        memset(place, 0, completion_size)
        var value = hanko_completion()
        value.tag = completion.tag
        value.session = completion.session.map { Handle.make($0) }
        value.status = completion.status.rawValue
        withUnsafeMutableBytes(of: &value.error) { error in
            guard let start = error.baseAddress else { return }
            CutText.copy(completion.text, to: start.assumingMemoryBound(to: CChar.self), capacity: error.count)
        }
        memcpy(place, &value, size)
    }
}

@implementation @_cdecl("hanko_queue_cancel")
public func hanko_queue_cancel(_ queue: OpaquePointer?, _ tag: UInt64) -> hanko_status {
    handOver(queue) { $0.cancel(tag: tag) }
}

@implementation @_cdecl("hanko_queue_free")
public func hanko_queue_free(_ queue: OpaquePointer?) {
    let guarded = CallGuard()
    defer { guarded.end() }
    Handle.free(queue, as: CompletionQueue.self)
}
