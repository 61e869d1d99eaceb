import Synchronization
import Testing

@testable import HankoCore

@Suite struct ReturnedSessionsTests {
    /// A session that somebody holds by hand, as a C program does.
    private static func session(from origin: ReturnedSessions) throws -> Unmanaged<Session> {
        let session = try #require(Session.make(SessionFacts()))
        session.origin = origin
        return .passRetained(session)
    }

    /// - Returns: whether the session is freed at the end of a function that is given it.
    private static func isFreed(_ reference: Unmanaged<Session>, after body: (Session) -> Void) -> Bool {
        weak let session = reference.takeUnretainedValue()
        if let session { body(session) }
        return session == nil
    }

    @Test func whileTheWorkerSleepsItIsFreedAtOnce() throws {
        let returned = ReturnedSessions()
        #expect(Self.isFreed(try Self.session(from: returned)) { $0.giveBack() })
        returned.free(staysAwake: true)
        returned.free(staysAwake: false)
        #expect(Self.isFreed(try Self.session(from: returned)) { $0.giveBack() })
    }

    @Test func whileTheWorkerIsAwakeItFreesAllThatCameBack() throws {
        let returned = ReturnedSessions()
        returned.free(staysAwake: true)
        for staysAwake in [true, false] {
            let references = try (0..<5).map { _ in try Self.session(from: returned) }
            let watched = references.map { Watched($0.takeUnretainedValue()) }
            for reference in references { reference.takeUnretainedValue().giveBack() }
            #expect(watched.allSatisfy { $0.session != nil })
            returned.free(staysAwake: staysAwake)
            #expect(watched.allSatisfy { $0.session == nil })
        }
    }

    /// A child has no worker.
    @Test func inAnotherProcessItIsFreedAtOnce() throws {
        let returned = ReturnedSessions(generation: ForkGeneration.current() &+ 1)
        returned.free(staysAwake: true)
        #expect(Self.isFreed(try Self.session(from: returned)) { $0.giveBack() })
    }

    @Test func aSessionOfNoWorkerIsFreedAtOnce() throws {
        let reference = Unmanaged.passRetained(try #require(Session.make(SessionFacts())))
        #expect(Self.isFreed(reference) { $0.giveBack() })
    }

    @Test func sessionsMayOutliveTheWorker() throws {
        var returned: ReturnedSessions? = ReturnedSessions()
        weak let origin = returned
        let reference = try Self.session(from: try #require(returned))
        returned?.free(staysAwake: false)
        returned = nil
        #expect(origin != nil)
        #expect(Self.isFreed(reference) { $0.giveBack() })
        #expect(origin == nil)
    }

    /// Under ThreadSanitizer and AddressSanitizer above all.
    @Test func threadsGiveBackWhileTheWorkerFrees() throws {
        weak var origin: ReturnedSessions?
        do {
            let returned = ReturnedSessions()
            origin = returned
            try Self.giveBackFromManyThreads(returned)
        }
        // Each session holds it, so that none is left.
        #expect(origin == nil)
    }

    private static func giveBackFromManyThreads(_ returned: ReturnedSessions) throws {
        let isOver = Flag()
        let wrong = Wrongs()
        let worker = try #require(
            Crew.start(1) { _ in
                var round = 0
                while !isOver.isSet {
                    returned.free(staysAwake: round % 3 != 0)
                    round &+= 1
                }
                returned.free(staysAwake: false)
            })
        defer {
            isOver.set()
            worker.wait()
        }
        let crew = try #require(
            Crew.start(3) { _ in
                for _ in 0..<2_000 {
                    guard let reference = try? session(from: returned) else { return wrong.note() }
                    reference.takeUnretainedValue().giveBack()
                }
            })
        crew.wait()
        #expect(wrong.count == 0)
    }

    private struct Watched {
        weak var session: Session?

        init(_ session: Session) { self.session = session }
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)

        var isSet: Bool { value.load(ordering: .acquiring) }

        func set() { value.store(true, ordering: .releasing) }
    }
}
