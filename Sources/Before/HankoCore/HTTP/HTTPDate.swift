/// A date in a field (RFC 9110 section 5.6.7).
enum HTTPDate {
    /// Reads each of the three forms that a recipient must take.
    ///
    /// - Returns: seconds since 1970; nil for an earlier time, and when the text is not such a date.
    static func read(_ text: ByteView) -> Int64? {
        // The form that every server of today writes.
        if let seconds = Timestamp.httpDate(text) { return seconds }
        // The day of the week is not compared with the date in any of the forms.
        if let comma = text.firstPosition(of: ASCII.comma) {
            // Sunday, 06-Nov-94 08:49:37 GMT
            let rest = text.slice(from: comma &+ 1)
            guard isLongWeekday(text.slice(from: 0, to: comma)), rest.count == 23, rest[0] == ASCII.space,
                rest[3] == ASCII.minus, rest[7] == ASCII.minus, rest[10] == ASCII.space,
                rest.slice(from: 19).equals(" GMT"), let year = rest.slice(from: 8, to: 10).decimal(atMost: 99)
            else { return nil }
            // There is no clock here that could tell which century is nearer; the epoch does.
            return seconds(
                day: rest.slice(from: 1, to: 3), month: rest.slice(from: 4, to: 7),
                century: ByteView(year < 70 ? "20" : "19"), year: rest.slice(from: 8, to: 10),
                time: rest.slice(from: 11, to: 19))
        }
        // Sun Nov  6 08:49:37 1994
        guard text.count == 24, text[3] == ASCII.space, text[7] == ASCII.space, text[10] == ASCII.space,
            text[19] == ASCII.space
        else { return nil }
        return seconds(
            day: text.slice(from: 8, to: 10), month: text.slice(from: 4, to: 7), century: text.slice(from: 20, to: 22),
            year: text.slice(from: 22), time: text.slice(from: 11, to: 19))
    }

    private static func isLongWeekday(_ name: ByteView) -> Bool {
        name.equals("Monday") || name.equals("Tuesday") || name.equals("Wednesday") || name.equals("Thursday")
            || name.equals("Friday") || name.equals("Saturday") || name.equals("Sunday")
    }

    /// Writes the parts in today's form and reads that.
    private static func seconds(
        day: ByteView, month: ByteView, century: ByteView, year: ByteView, time: ByteView
    ) -> Int64? {
        var text = SecretBuffer()
        guard text.reserve(29) else { return nil }
        text.append(ByteView("Sun, "))
        // A day of one digit has a blank before it in the last form.
        text.append(day[0] == ASCII.space ? ASCII.zero : day[0])
        text.append(day[1])
        text.append(ASCII.space)
        text.append(month)
        text.append(ASCII.space)
        text.append(century)
        text.append(year)
        text.append(ASCII.space)
        text.append(time)
        text.append(ByteView(" GMT"))
        return text.withView { Timestamp.httpDate($0) }
    }
}
