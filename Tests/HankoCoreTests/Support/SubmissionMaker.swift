@testable import HankoCore
import Testing

/// Makes submissions that nobody carries out, and keeps them alive as the queue would.
final class SubmissionMaker {
    let context: CallContext
    let completions: Completions
    private(set) var made: [Submission] = []

    init() throws {
        let process = try HostProcess.current().resources()
        var configuration = Configuration()
        try configuration.setAPIURL(ByteView("http://127.0.0.1:9"))
        context = CallContext(configuration, url: try #require(configuration.apiURL), process: process)
        completions = try #require(Completions.make(process.descriptors))
    }

    deinit { completions.close() }

    @discardableResult
    func make(tag: UInt64 = 0, deadline: Int64 = 0, token: StaticString = "token") throws -> Submission {
        let credentials = Credentials(try SessionToken(ByteView(token)))
        let progress = CallProgress(
            .validation, candidateCount: credentials.count, context.configuration,
            deadline: Deadline(nanoseconds: deadline), wantsSession: true)
        let submission = try #require(
            Submission.make(credentials, tag: tag, completions: completions, progress: progress))
        made.append(submission)
        return submission
    }
}
