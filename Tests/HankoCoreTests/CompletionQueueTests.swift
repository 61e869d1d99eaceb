import CHanko
import Glibc
import Hanko
import Synchronization
import Testing

@testable import HankoCore

/// The completion queue with a server and many threads; under ThreadSanitizer above all.
@Suite(.serialized) struct CompletionQueueTests {
    /// What came of the submissions of a test, counted by all its threads.
    private final class Tally: Sendable {
        let submitted = Atomic<Int>(0)
        let completed = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
    }

    private struct Handles: @unchecked Sendable {
        let client: OpaquePointer
        let queues: [OpaquePointer]
    }

    private static func makeClient(_ hanko: LocalHanko, connections: UInt32) throws -> OpaquePointer {
        let config = try #require(hanko_config_new())
        defer { hanko_config_free(config) }
        #expect(hanko_config_set_api_url(config, hanko.url) == HANKO_OK)
        #expect(hanko_config_set_max_connections(config, connections) == HANKO_OK)
        var client: OpaquePointer?
        #expect(hanko_client_new(config, &client) == HANKO_OK)
        return try #require(client)
    }

    private static func makeQueue(_ client: OpaquePointer) throws -> OpaquePointer {
        var queue: OpaquePointer?
        #expect(hanko_queue_new(client, &queue) == HANKO_OK)
        return try #require(queue)
    }

    /// Waits until the queue's descriptor is readable.
    private static func isReadable(_ queue: OpaquePointer, milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: hanko_queue_file_descriptor(queue), events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) == 1
    }

    /// Takes what is there. The tag of a yes is even, that of a no odd; a withdrawn one may have either result.
    private static func drain(_ queue: OpaquePointer, _ tally: Tally) {
        var completions = [hanko_completion](repeating: hanko_completion(), count: 16)
        while true {
            let count = hanko_queue_drain(queue, &completions, completions.count, MemoryLayout<hanko_completion>.size)
            guard count > 0 else { return }
            for completion in completions[..<count] {
                let expected = completion.tag % 2 == 0 ? HANKO_OK : HANKO_INVALID_TOKEN
                let isRight =
                    (completion.status == expected || completion.status == HANKO_CANCELLED)
                    && (completion.session != nil) == (completion.status == HANKO_OK)
                if !isRight { tally.wrong.add(1, ordering: .relaxed) }
                hanko_session_free(completion.session)
            }
            tally.completed.add(count, ordering: .relaxed)
        }
    }

    private static func submit(_ queue: OpaquePointer, tag: UInt64, _ tally: Tally) {
        let token = tag % 2 == 0 ? "yes-\(tag)" : "no-\(tag)"
        if hanko_queue_submit(queue, token, token.utf8.count, tag) == HANKO_OK {
            tally.submitted.add(1, ordering: .relaxed)
        } else {
            tally.wrong.add(1, ordering: .relaxed)
        }
    }

    @Test func manyThreadsSubmitCancelAndDrainAtOnce() throws {
        let hanko = try #require(LocalHanko.start(connections: 24))
        defer { hanko.stop() }
        let client = try Self.makeClient(hanko, connections: 8)
        let handles = Handles(client: client, queues: [try Self.makeQueue(client), try Self.makeQueue(client)])
        let tally = Tally()
        let drainers = try #require(
            Crew.start(3) { number in
                let queue = handles.queues[number % 2]
                while !tally.isOver.load(ordering: .relaxed) {
                    if Self.isReadable(queue, milliseconds: 10) { Self.drain(queue, tally) }
                }
            })
        let submitters = try #require(
            Crew.start(4) { number in
                let queue = handles.queues[number % 2]
                for index in 0..<300 {
                    let tag = UInt64(index * 4 + number)
                    Self.submit(queue, tag: tag, tally)
                    if index % 7 == 0, hanko_queue_cancel(queue, tag) != HANKO_OK {
                        tally.wrong.add(1, ordering: .relaxed)
                    }
                    // Blocking calls share connections, breaker and counters.
                    if index % 50 == 0, hanko_client_validate(handles.client, "yes", 3, nil) != HANKO_OK {
                        tally.wrong.add(1, ordering: .relaxed)
                    }
                }
            })
        submitters.wait()
        var patience = 2_000
        while tally.completed.load(ordering: .relaxed) < tally.submitted.load(ordering: .relaxed), patience > 0 {
            usleep(10_000)
            patience -= 1
        }
        tally.isOver.store(true, ordering: .relaxed)
        drainers.wait()
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        #expect(tally.submitted.load(ordering: .relaxed) == 1200)
        #expect(tally.completed.load(ordering: .relaxed) == 1200)
        for queue in handles.queues { #expect(!Self.isReadable(queue, milliseconds: 0)) }
        var statistics = hanko_statistics()
        statistics.struct_size = MemoryLayout<hanko_statistics>.size
        #expect(hanko_client_statistics(client, &statistics) == HANKO_OK)
        #expect(statistics.in_flight == 0)
        hanko_client_free(client)
        for queue in handles.queues { hanko_queue_free(queue) }
    }

    /// The worker wants back what it made. After its end a session is freed by who gives it up.
    @Test func aSessionKnowsItsWorker() throws {
        let hanko = try #require(LocalHanko.start(connections: 1))
        defer { hanko.stop() }
        let client = try Self.makeClient(hanko, connections: 1)
        let queue = try Self.makeQueue(client)
        #expect(hanko_queue_submit(queue, "yes", 3, 1) == HANKO_OK)
        #expect(Self.isReadable(queue, milliseconds: 10_000))
        var completion = hanko_completion()
        #expect(hanko_queue_drain(queue, &completion, 1, MemoryLayout<hanko_completion>.size) == 1)
        let handle = try #require(completion.session)
        weak let session = Unmanaged<Session>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
        weak let origin = session?.origin
        #expect(origin != nil)
        hanko_client_free(client)
        hanko_queue_free(queue)
        #expect(session != nil)
        hanko_session_free(handle)
        #expect(session == nil)
        #expect(origin == nil)
    }

    @Test func queuesComeAndGoWhileOthersWork() throws {
        let hanko = try #require(LocalHanko.start(connections: 12))
        defer { hanko.stop() }
        let client = try Self.makeClient(hanko, connections: 4)
        let handles = Handles(client: client, queues: [])
        let tally = Tally()
        let crew = try #require(
            Crew.start(4) { number in
                for round in 0..<20 {
                    guard let queue = try? Self.makeQueue(handles.client) else {
                        tally.wrong.add(1, ordering: .relaxed)
                        return
                    }
                    for index in 0..<20 { Self.submit(queue, tag: UInt64(index), tally) }
                    // Some go with everything under way, some with completions that nobody takes.
                    if round % 2 == number % 2 { _ = Self.isReadable(queue, milliseconds: 10_000) }
                    if round % 3 == 0 { Self.drain(queue, tally) }
                    hanko_queue_free(queue)
                }
            })
        crew.wait()
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        hanko_client_free(client)
    }

    @Test func theLastOfClientAndQueuesEndsTheThread() throws {
        let hanko = try #require(LocalHanko.start(connections: 6))
        defer { hanko.stop() }
        for clientGoesFirst in [true, false] {
            let client = try Self.makeClient(hanko, connections: 2)
            let queue = try Self.makeQueue(client)
            let tally = Tally()
            for tag in 0..<10 as Range<UInt64> { Self.submit(queue, tag: tag, tally) }
            if clientGoesFirst { hanko_client_free(client) }
            while tally.completed.load(ordering: .relaxed) < 10 {
                #expect(Self.isReadable(queue, milliseconds: 10_000))
                Self.drain(queue, tally)
            }
            #expect(tally.wrong.load(ordering: .relaxed) == 0)
            hanko_queue_free(queue)
            if !clientGoesFirst { hanko_client_free(client) }
        }
    }

    @Test func nothingIsDoneWithoutAQueue() {
        var queue: OpaquePointer?
        #expect(hanko_queue_new(nil, &queue) == HANKO_INVALID_ARGUMENT)
        #expect(hanko_queue_new(nil, nil) == HANKO_INVALID_ARGUMENT)
        #expect(hanko_queue_file_descriptor(nil) == -1)
        #expect(hanko_queue_submit(nil, "token", 5, 0) == HANKO_INVALID_ARGUMENT)
        #expect(hanko_queue_submit_authenticate(nil, nil, 0, nil, 0, 0) == HANKO_INVALID_ARGUMENT)
        #expect(hanko_queue_submit_check(nil, 0) == HANKO_INVALID_ARGUMENT)
        #expect(hanko_queue_cancel(nil, 0) == HANKO_INVALID_ARGUMENT)
        var completion = hanko_completion()
        #expect(hanko_queue_drain(nil, &completion, 1, MemoryLayout<hanko_completion>.size) == 0)
        hanko_queue_free(nil)
    }
}
