@testable import HankoCore
import Testing

/// A connection without a socket, to which things happen one after the other. A class, because what cannot be copied
/// cannot stand in an expectation.
final class ConnectionProbe {
    /// How an exchange ended.
    enum End: Equatable {
        case answer(Int, body: String, isEarly: Bool)
        case failure(TransportFailure)
    }

    private(set) var state = ConnectionState()
    /// The last look found nothing, and nothing has happened since.
    private var hasLooked = false

    /// One that is open.
    static func opened(at now: Int64 = 0) -> ConnectionProbe {
        let probe = ConnectionProbe()
        probe.state.opened(at: now)
        return probe
    }

    /// One that was used for an answer before and is kept.
    static func kept(after answer: String = ConnectionProbe.answer()) -> ConnectionProbe {
        let probe = opened()
        _ = probe.exchange(answer)
        if !probe.finish() { Issue.record("it is not kept") }
        return probe
    }

    /// A yes as Hanko sends it, but for the id.
    static func answer(
        _ status: String = "200 OK", _ fields: String..., body: String = #"{"is_valid":true}"#
    ) -> String {
        let lines = ["HTTP/1.1 \(status)"] + fields + ["Content-Length: \(body.utf8.count)", "", body]
        return lines.joined(separator: "\r\n")
    }

    static let request = "POST /sessions/validate HTTP/1.1\r\n\r\n"

    // MARK: Events

    private func noted(_ action: ConnectionState.Action) -> ConnectionState.Action {
        if action == .send, !hasLooked { Issue.record("it sends without having looked") }
        hasLooked = false
        return action
    }

    func begin(_ request: String = request) -> ConnectionState.Action {
        noted(
            state.begin(ReaderOutcome.id) { buffer in
                buffer.erase()
                return withBytes(of: request) { bytes in
                    guard buffer.reserve(bytes.count) else { return false }
                    buffer.append(bytes)
                    return true
                }
            })
    }

    /// There is no memory for the request.
    func beginInVain() -> ConnectionState.Action { noted(state.begin(ReaderOutcome.id) { _ in false }) }

    func ready() -> ConnectionState.Action { noted(state.ready()) }

    func receivedNothing() -> ConnectionState.Action {
        hasLooked = true
        return noted(state.receivedNothing())
    }

    func received(_ text: String) -> ConnectionState.Action { received(Array(text.utf8)) }

    func received(_ bytes: [UInt8]) -> ConnectionState.Action { noted(withBytes(bytes) { state.received($0) }) }

    func receivedEnd() -> ConnectionState.Action { noted(state.receivedEnd()) }
    func broke() -> ConnectionState.Action { noted(state.broke()) }
    func lacksMemory() -> ConnectionState.Action { noted(state.lacksMemory()) }
    func sent(_ count: Int) -> ConnectionState.Action { noted(state.sent(count)) }
    func sentNothing() -> ConnectionState.Action { noted(state.sentNothing()) }
    func sendFailed() -> ConnectionState.Action { noted(state.sendFailed()) }
    func windUp() -> ConnectionState.Action { noted(state.windUp()) }
    func giveUp(_ failure: TransportFailure) { state.giveUp(failure) }
    func finish(at now: Int64 = 0) -> Bool { state.finish(at: now) }

    // MARK: Several at once

    /// Sends the request whole.
    ///
    /// - Returns: what is to be done then.
    func sendWhole(_ request: String = request) -> ConnectionState.Action {
        guard begin(request) == .receive, receivedNothing() == .send else {
            Issue.record("it does not send")
            return .end
        }
        return sent(request.utf8.count)
    }

    /// Sends the request and receives bytes.
    @discardableResult
    func exchange(_ answer: String) -> ConnectionState.Action {
        if sendWhole() != .wait(.input) || ready() != .receive { Issue.record("it does not wait for the answer") }
        return received(answer)
    }

    // MARK: What is seen

    var unsent: String { state.withUnsent { $0.string ?? "" } }

    var end: End {
        state.withEnd { end in
            switch end {
            case .answer(let answer): .answer(answer.status, body: answer.body.string ?? "", isEarly: answer.isEarly)
            case .failure(let failure): .failure(failure)
            }
        }
    }

    /// What the verdict makes of it.
    var reason: VerdictReason {
        state.withEnd { end in
            guard let token = try? SessionToken(ByteView("test-token")) else { return .noToken }
            return Verdict.judge(end, token: token, audiences: [], now: Judge.now, wantsSession: false).reason
        }
    }

    func mayServe(at now: Int64) -> Bool { state.mayServe(at: now) }
    var isClosed: Bool { state.isClosed }
    var isKept: Bool { state.isKept }
    var hasSent: Bool { state.hasSent }
    var isDead: Bool { state.isDead }
    var spokeUnasked: Bool { state.spokeUnasked }
    var isWindingUp: Bool { state.isWindingUp }
    var isBound: Bool { state.use.isBound }
    var requestID: RequestID? { state.use.requestID }
}
