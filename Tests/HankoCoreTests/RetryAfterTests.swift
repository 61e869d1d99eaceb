@testable import HankoCore
import Testing

/// The fields of a head that decide about retries and confirmations.
@Suite struct RetryAfterTests {
    private static func head(_ lines: [String]) -> ReaderOutcome {
        ReaderOutcome(of: lines.map { $0 + "\r\n" }.joined())
    }

    private static func retryAfter(_ fields: String...) -> RetryAfter? {
        head(["HTTP/1.1 503 Busy"] + fields).retryAfter
    }

    private static func age(_ fields: String...) -> Int64? { head(["HTTP/1.1 200 OK"] + fields).age }

    // MARK: Retry-After

    @Test(
        arguments: [
            ("Retry-After: 0", 0), ("Retry-After: 1", 1), ("retry-after:120", 120), ("RETRY-AFTER:\t 7 \t", 7),
            ("Retry-After: 007", 7), ("Retry-After: 9223372036854775807", Int64.max),
        ] as [(String, Int64)])
    func aNumberIsSeconds(_ field: String, _ seconds: Int64) {
        #expect(Self.retryAfter(field) == .delay(seconds))
    }

    @Test(
        arguments: [
            ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("retry-after:Sun, 22 Nov 2026 13:00:34 GMT ", 1_795_352_434),
            // The obsolete forms of RFC 9110 section 5.6.7.
            ("Retry-After: Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Retry-After: Sun Nov  6 08:49:37 1994", 784_111_777),
        ] as [(String, Int64)])
    func aDateIsAMoment(_ field: String, _ moment: Int64) {
        #expect(Self.retryAfter(field) == .date(moment))
    }

    @Test(arguments: [
        "Retry-After:", "Retry-After: ", "Retry-After: -1", "Retry-After: +1", "Retry-After: 1.5", "Retry-After: 1s",
        "Retry-After: soon", "Retry-After: 1 2", "Retry-After: 0x10", "Retry-After: tomorrow at noon or so",
        "X-Retry-After: 5", "Retry-After-X: 5", "Retry-After 5", "Retry: 5",
    ])
    func everythingElseIsNone(_ field: String) {
        #expect(Self.retryAfter(field) == nil)
    }

    /// It is a number of seconds (RFC 9110 section 10.2.3), and it fits no deadline, so that the call must end and not go
    /// on as if the server had not asked for a pause.
    @Test(arguments: [
        "9223372036854775808", "99999999999999999999", "1000000000000000000000000000000000000000000000000",
    ])
    func aNumberTooLargeToHoldIsALongTime(_ digits: String) throws {
        let retryAfter = try #require(Self.retryAfter("Retry-After: \(digits)"))
        #expect(retryAfter.seconds(from: Judge.now) > 1_000_000)
    }

    @Test func anInterimAnswersFieldsAreNotThoseOfTheFinalOne() {
        let head = Self.head([
            "HTTP/1.1 103 Early Hints", "Retry-After: 5", "Age: 7", "", "HTTP/1.1 503 Busy", "",
        ])
        #expect(head.progress == .complete)
        #expect(head.status == 503)
        #expect(head.retryAfter == nil)
        #expect(head.age == nil)
    }

    @Test func trailersChangeNothing() {
        let head = Self.head([
            "HTTP/1.1 503 Busy", "Retry-After: 5", "Age: 0", "Transfer-Encoding: chunked", "", "0", "Retry-After: 9",
            "Age: 9", "",
        ])
        #expect(head.progress == .complete && head.mayKeep)
        #expect(head.retryAfter == .delay(5))
        #expect(head.age == 0)
    }

    @Test func theOtherFieldsDoNotDisturbIt() {
        let head = Self.head([
            "HTTP/1.1 503 Busy", "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: 5", "Age: 3",
            "Content-Length: 2", "",
        ])
        #expect(head.date == 784_111_777)
        #expect(head.retryAfter == .delay(5))
        #expect(head.age == 3)
        #expect(head.progress == .answered)
    }

    @Test func secondsFromAMoment() {
        #expect(RetryAfter.delay(5).seconds(from: 1_000) == 5)
        #expect(RetryAfter.date(1_005).seconds(from: 1_000) == 5)
        #expect(RetryAfter.date(995).seconds(from: 1_000) == -5)
        #expect(RetryAfter.delay(.max).seconds(from: 1_000) == .max)
    }

    // MARK: Age

    @Test(
        arguments: [
            ("Age: 0", 0), ("age:1", 1), ("AGE: 3600 ", 3_600), ("Age: 00", 0), ("Age: 9223372036854775807", Int64.max),
        ] as [(String, Int64)])
    func anAgeIsSeconds(_ field: String, _ seconds: Int64) {
        #expect(Self.age(field) == seconds)
    }

    @Test func withoutAnAgeThereIsNone() {
        #expect(Self.age() == nil)
        #expect(Self.age("X-Age: 5", "Aged: 5", "Cache-Age: 5") == nil)
    }

    /// What cannot be read must not pass for fresh: a "no" would stand that nobody has confirmed.
    @Test(arguments: ["Age:", "Age: -1", "Age: x", "Age: 1.5", "Age: 0, 5", "Age: 99999999999999999999", "Age: 0s"])
    func anAgeThatCannotBeReadIsNotFresh(_ field: String) {
        #expect((Self.age(field) ?? 0) > 0)
    }

    /// "2xx without an Age above 0" (design section 4): a later field does not make the first untrue. RFC 9111 section
    /// 5.1 lets the first count.
    @Test func oneAgeAboveZeroIsEnough() {
        #expect((Self.age("Age: 5", "Age: 0") ?? 0) > 0)
        #expect((Self.age("Age: 0", "Age: 5") ?? 0) > 0)
    }
}
