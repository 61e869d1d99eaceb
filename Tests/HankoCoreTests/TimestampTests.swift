import HankoCore
import Testing

@Suite struct TimestampTests {
    private static func rfc3339(_ text: String) -> Int64? { withBytes(of: text) { Timestamp.rfc3339($0) } }

    private static func numericDate(_ text: String) -> Int64? { withBytes(of: text) { Timestamp.numericDate($0) } }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-11-22T13:00:34Z", 1_795_352_434),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("0000-03-01T00:00:00Z", -62_162_035_200),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2024-02-29T12:00:00Z", 1_709_208_000),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("2026-11-22t13:00:34z", 1_795_352_434),
            ("2026-11-22T13:00:34.5Z", 1_795_352_434),
            ("2026-11-22T13:00:34.999999999Z", 1_795_352_434),
            ("2026-11-22T13:00:34+00:00", 1_795_352_434),
            ("2026-11-22T13:00:34-00:00", 1_795_352_434),
            ("2026-11-22T14:00:34+01:00", 1_795_352_434),
            ("2026-11-22T07:30:34-05:30", 1_795_352_434),
            ("2026-11-23T12:59:34+23:59", 1_795_352_434),
            ("2026-11-22T14:00:34.123+01:00", 1_795_352_434),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
        ] as [(String, Int64)])
    func aTimeOfRFC3339IsRead(_ text: String, _ seconds: Int64) {
        #expect(Self.rfc3339(text) == seconds)
    }

    @Test(arguments: [
        "", "Z", "2026-11-22", "2026-11-22T13:00Z", "2026-11-22T13:00:34", "2026-11-22T13:00:34 ",
        " 2026-11-22T13:00:34Z", "2026-11-22T13:00:34Z ", "2026-11-22T13:00:34ZZ", "2026-11-22T13:00:34Zx",
        "2026-11-22 13:00:34Z", "2026-11-22_13:00:34Z", "2026/11/22T13:00:34Z", "2026-11-22T13.00.34Z",
        "26-11-22T13:00:34Z", "02026-11-22T13:00:34Z", "+026-11-22T13:00:34Z", "-026-11-22T13:00:34Z",
        "2026-00-22T13:00:34Z", "2026-13-22T13:00:34Z", "2026-11-00T13:00:34Z", "2026-11-31T13:00:34Z",
        "2026-12-32T13:00:34Z", "2026-04-31T00:00:00Z", "2026-06-31T00:00:00Z", "2026-09-31T00:00:00Z",
        "2026-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z", "2026-11-22T13:60:34Z", "2026-11-22T13:00:61Z", "2026-1-22T13:00:34Z",
        "2026-11-2T13:00:034Z", "2026-11-22T1:00:034Z", "2026-11-22T+3:00:34Z", "2026-11-22T13:00: 4Z",
        "2026-11-22T13:00:34.Z", "2026-11-22T13:00:34.+01:00", "2026-11-22T13:00:34,5Z",
        "2026-11-22T13:00:34.1234567890Z", "2026-11-22T13:00:34.5", "2026-11-22T13:00:34.5.5Z",
        "2026-11-22T13:00:34+0100", "2026-11-22T13:00:34+01", "2026-11-22T13:00:34+1:00",
        "2026-11-22T13:00:34+24:00", "2026-11-22T13:00:34+01:60", "2026-11-22T13:00:34*01:00",
        "2026-11-22T13:00:34+01:00Z", "2026-11-22T13:00:34Z+01:00", "2026-11-22T13:00:34GMT",
        "Sun, 22 Nov 2026 13:00:34 GMT", "1795352434", "2026-11-22T13:00:34\0", "2026-11-22T13:00:34Z\0",
        "2026\u{660}11-22T13:00:34Z",
    ])
    func everythingElseIsNot(_ text: String) {
        #expect(Self.rfc3339(text) == nil)
    }

    @Test func everyBeginningOfATimeIsNone() {
        let text = Array("2026-11-22T13:00:34.123+01:00".utf8)
        for length in 0..<text.count {
            #expect(withBytes(Array(text[..<length])) { Timestamp.rfc3339($0) } == nil, "\(length)")
        }
        #expect(withBytes(text) { Timestamp.rfc3339($0) } == 1_795_348_834)
    }

    /// Counts the days one by one from the year 1 on, as the calendar has them.
    @Test func everyDayOfTwoThousandYearsIsOneAfterTheDayBefore() {
        var expected: Int64 = -62_135_596_800
        var wrong = 0
        for year in 1...2_100 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for month in 1...12 {
                // The first and the last day of each month stand for those between.
                let length = lengths[month - 1]
                for day in [1, length] {
                    let text = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T00:00:00Z"
                    if Self.rfc3339(text) != expected + Int64(day - 1) * 86_400 { wrong += 1 }
                }
                expected += Int64(length) * 86_400
            }
        }
        #expect(wrong == 0)
        #expect(expected == 4_133_980_800)
    }

    private static func padded(_ number: Int, _ digits: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    @Test(
        arguments: [
            ("0", 0), ("1795352434", 1_795_352_434), ("1795352434.0", 1_795_352_434), ("1795352434.999", 1_795_352_434),
            ("-1", -1), ("-1.5", -1), ("-0", 0), ("9007199254740992", 1 << 53), ("-9007199254740992", -(1 << 53)),
        ] as [(String, Int64)])
    func aNumberOfSecondsIsRead(_ text: String, _ seconds: Int64) {
        #expect(Self.numericDate(text) == seconds)
    }

    @Test(arguments: [
        "", "-", ".5", "-.5", "1e9", "1E9", "1.5e9", "9007199254740993", "-9007199254740993",
        "99999999999999999999999999", "9223372036854775808", "1x", "x", "+1", " 1", "1 ", "--1", "1.2.3",
    ])
    func whatIsNoSuchNumberIsNotRead(_ text: String) {
        #expect(Self.numericDate(text) == nil)
    }

    // MARK: Dates of HTTP

    private static func httpDate(_ text: String) -> Int64? { withBytes(of: text) { Timestamp.httpDate($0) } }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sun, 22 Nov 2026 13:00:34 GMT", 1_795_352_434), ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] as [(String, Int64)])
    func aDateOfHTTPIsRead(_ text: String, _ seconds: Int64) {
        #expect(Self.httpDate(text) == seconds)
    }

    @Test(arguments: [
        "", "Sun, 22 Nov 2026 13:00:34", "Sun, 22 Nov 2026 13:00:34 GMT ", " Sun, 22 Nov 2026 13:00:34 GMT",
        "Sun, 22 Nov 2026 13:00:34 gmt", "Sun, 22 Nov 2026 13:00:34 UTC", "Son, 22 Nov 2026 13:00:34 GMT",
        "sun, 22 Nov 2026 13:00:34 GMT", "Sun; 22 Nov 2026 13:00:34 GMT", "Sun, 22 nov 2026 13:00:34 GMT",
        "Sun, 22 Now 2026 13:00:34 GMT", "Sun, 22-Nov-2026 13:00:34 GMT", "Sun, 00 Nov 2026 13:00:34 GMT",
        "Sun, 31 Nov 2026 13:00:34 GMT", "Sun, 29 Feb 2026 13:00:34 GMT", "Sun, 22 Nov 2026 24:00:34 GMT",
        "Sun, 22 Nov 2026 13:60:34 GMT", "Sun, 22 Nov 2026 13:00:61 GMT", "Sun, 22 Nov 2026 13-00-34 GMT",
        "Sun, 22 Nov 1969 13:00:34 GMT", "Sun, -2 Nov 2026 13:00:34 GMT", "Sun,  2 Nov 2026 13:00:34 GMT",
        "Sunday, 22-Nov-26 13:00:34 GMT", "Sun Nov 22 13:00:34 2026", "2026-11-22T13:00:34.000000000", "1795352434",
    ])
    func anotherFormIsNot(_ text: String) {
        #expect(Self.httpDate(text) == nil)
    }

    /// The obsolete form of `asctime` is read by libcurl: both must be the same moment.
    @Test func libcurlReadsTheSameMoment() {
        var generator = SeededGenerator(seed: 11)
        let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let two: (Int) -> String = { ($0 < 10 ? "0" : "") + String($0) }
        for _ in 0..<2_000 {
            let (weekday, month) = (weekdays[generator.below(7)], months[generator.below(12)])
            let (day, year) = (two(1 + generator.below(28)), 1970 + generator.below(200))
            let time = [24, 60, 60].map { two(generator.below($0)) }.joined(separator: ":")
            let expected = Self.dateOfHead("\(weekday) \(month) \(day) \(time) \(year)")
            #expect(expected != nil)
            #expect(Self.httpDate("\(weekday), \(day) \(month) \(year) \(time) GMT") == expected)
        }
    }

    private static func dateOfHead(_ text: String) -> Int64? {
        ReaderOutcome(of: "HTTP/1.1 200 OK\r\nDate: \(text)\r\n").date
    }
}
