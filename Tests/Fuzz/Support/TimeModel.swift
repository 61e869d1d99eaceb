import CSystem

/// Times by way of the C library's calendar, for comparison.
enum TimeModel {
    /// A time of RFC 3339 section 5.6 in seconds since 1970, its fraction of at most nine digits dropped.
    static func rfc3339(_ text: [UInt8]) -> Int64? {
        // Every digit becomes a 9, so that the form is a plain text; signs and letters stay.
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        var form = String(decoding: text.map { digits.contains($0) ? UInt8(ascii: "9") : $0 }, as: UTF8.self)
            .uppercased()
        guard text.allSatisfy({ $0 < 0x80 }), form.hasPrefix("9999-99-99T99:99:99") else { return nil }
        form.removeFirst(19)
        if form.hasPrefix(".") {
            let fraction = form.dropFirst().prefix { $0 == "9" }
            guard (1...9).contains(fraction.count) else { return nil }
            form.removeFirst(1 + fraction.count)
        }
        guard ["Z", "+99:99", "-99:99"].contains(form) else { return nil }

        func number(_ start: Int, _ count: Int) -> Int32 {
            text[start..<start + count].reduce(0) { $0 * 10 + Int32($1) - 0x30 }
        }
        var fields = tm()
        fields.tm_year = number(0, 4) - 1900
        fields.tm_mon = number(5, 2) - 1
        fields.tm_mday = number(8, 2)
        let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2))
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        // The calendar brings 30 February to 2 March: a day that it moves does not exist.
        var day = fields
        let midnight = timegm(&day)
        guard day.tm_mday == fields.tm_mday, day.tm_mon == fields.tm_mon, day.tm_year == fields.tm_year else {
            return nil
        }
        let local = Int64(midnight) + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
        guard form != "Z" else { return local }

        let end = text.count
        let (hours, minutes) = (number(end - 5, 2), number(end - 2, 2))
        guard hours < 24, minutes < 60 else { return nil }
        return local - (form.hasPrefix("-") ? -1 : 1) * Int64(hours * 3600 + minutes * 60)
    }

    /// A JSON number of seconds since 1970 as whole seconds; nil with an exponent or beyond 2^53.
    static func numericDate(_ number: [UInt8]) -> Int64? {
        let text = String(decoding: number, as: UTF8.self)
        guard !text.contains("e"), !text.contains("E"), let whole = text.split(separator: ".").first,
            let seconds = Int64(whole), seconds.magnitude <= 1 << 53
        else { return nil }
        return seconds
    }
}
