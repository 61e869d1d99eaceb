/// Moments as Hanko writes them, in whole seconds since 1970.
package enum Timestamp {
    /// Reads a time of RFC 3339 section 5.6, as in the answers of Hanko: `2026-11-22T13:00:34Z`, with up to nine
    /// fractional digits, which are dropped, and `Z` or an offset.
    ///
    /// - Returns: seconds since 1970; nil when the text is not such a time.
    package static func rfc3339(_ text: ByteView) -> Int64? {
        guard text.count >= 20,
            let year = digits(text, 0, 4), text[4] == ASCII.minus,
            let month = digits(text, 5, 2), text[7] == ASCII.minus,
            let day = digits(text, 8, 2), text[10] | 0x20 == 0x74,
            let hour = digits(text, 11, 2), text[13] == ASCII.colon,
            let minute = digits(text, 14, 2), text[16] == ASCII.colon,
            let second = digits(text, 17, 2),
            month >= 1, month <= 12, day >= 1, day <= daysIn(month, of: year),
            hour <= 23, minute <= 59, second <= 60  // 60: a leap second
        else { return nil }
        var position = 19
        if text[position] == ASCII.dot {
            let start = position &+ 1
            position = start
            while ASCII.isDigit(text[position]) { position &+= 1 }
            guard position > start, position &- start <= 9 else { return nil }
        }
        guard let offset = offset(text.slice(from: position)) else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        return days &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second &- offset
    }

    /// Reads a date as HTTP has it today, the IMF-fixdate of RFC 9110 section 5.6.7: `Sun, 22 Nov 2026 13:00:34 GMT`.
    ///
    /// - Returns: seconds since 1970; nil for an earlier time, and when the text is not such a date.
    package static func httpDate(_ text: ByteView) -> Int64? {
        guard text.count == 29, isWeekday(text.slice(from: 0, to: 3)), text[3] == ASCII.comma, text[4] == ASCII.space,
            let day = digits(text, 5, 2), text[7] == ASCII.space,
            let month = month(named: text.slice(from: 8, to: 11)), text[11] == ASCII.space,
            let year = digits(text, 12, 4), text[16] == ASCII.space,
            let hour = digits(text, 17, 2), text[19] == ASCII.colon,
            let minute = digits(text, 20, 2), text[22] == ASCII.colon,
            let second = digits(text, 23, 2), text.slice(from: 25).equals(" GMT"),
            year >= 1970, day >= 1, day <= daysIn(month, of: year), hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        return days &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second
    }

    private static func isWeekday(_ name: ByteView) -> Bool {
        name.equals("Mon") || name.equals("Tue") || name.equals("Wed") || name.equals("Thu") || name.equals("Fri")
            || name.equals("Sat") || name.equals("Sun")
    }

    private static func month(named name: ByteView) -> Int64? {
        if name.equals("Jan") { return 1 }
        if name.equals("Feb") { return 2 }
        if name.equals("Mar") { return 3 }
        if name.equals("Apr") { return 4 }
        if name.equals("May") { return 5 }
        if name.equals("Jun") { return 6 }
        if name.equals("Jul") { return 7 }
        if name.equals("Aug") { return 8 }
        if name.equals("Sep") { return 9 }
        if name.equals("Oct") { return 10 }
        if name.equals("Nov") { return 11 }
        return name.equals("Dec") ? 12 : nil
    }

    /// Reads a NumericDate of RFC 7519 section 2: a JSON number of seconds since 1970, a fraction is dropped.
    ///
    /// - Returns: nil when the number does not fit; Hanko writes whole seconds without an exponent, so a number with
    ///   one is not read.
    package static func numericDate(_ number: ByteView) -> Int64? {
        let isNegative = number[0] == ASCII.minus
        let start = isNegative ? 1 : 0
        var end = start
        while ASCII.isDigit(number[end]) { end &+= 1 }
        var rest = end
        if number[rest] == ASCII.dot {
            rest &+= 1
            while ASCII.isDigit(number[rest]) { rest &+= 1 }
        }
        guard rest == number.count,
            let seconds = number.slice(from: start, to: end).decimal(atMost: 1 << 53)
        else { return nil }
        return isNegative ? 0 &- seconds : seconds
    }

    /// A number of exactly so many digits, at most four; nil for everything else.
    @inline(__always)
    private static func digits(_ text: ByteView, _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        var position = start
        while position < start &+ count {
            guard let digit = ASCII.digit(text[position]) else { return nil }
            value = value &* 10 &+ digit
            position &+= 1
        }
        return value
    }

    /// Seconds east of UTC: `Z`, or sign, hours, colon and minutes.
    private static func offset(_ text: ByteView) -> Int64? {
        if text.count == 1, text[0] | 0x20 == 0x7A { return 0 }
        guard text.count == 6, text[3] == ASCII.colon, text[0] == ASCII.plus || text[0] == ASCII.minus,
            let hours = digits(text, 1, 2), let minutes = digits(text, 4, 2), hours <= 23, minutes <= 59
        else { return nil }
        let seconds = hours &* 3_600 &+ minutes &* 60
        return text[0] == ASCII.minus ? 0 &- seconds : seconds
    }

    private static func isLeapYear(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: isLeapYear(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The day's number in the Gregorian calendar. The year is counted from March, so that the leap day is its last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year &- 1 &+ 400 : year &+ 400  // 400 more, so that nothing is negative
        let monthsSinceMarch = (month &+ 9) % 12
        let dayOfYear = (153 &* monthsSinceMarch &+ 2) / 5 &+ day &- 1
        let leapDays = marchYear / 4 &- marchYear / 100 &+ marchYear / 400
        let daysOf400Years: Int64 = 146_097
        let daysFromYear0To1970: Int64 = 719_468
        return marchYear &* 365 &+ leapDays &+ dayOfYear &- daysFromYear0To1970 &- daysOf400Years
    }
}
