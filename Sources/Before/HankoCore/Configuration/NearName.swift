/// Which variable somebody meant by a name that is none. Names that merely begin with `HANKO_` belong to others and are
/// left alone; the Python package follows the same rules (`_near_name.py`).
package enum NearName {
    private static var prefix: StaticString { "HANKO_" }
    private static var longest: Int { 32 }

    /// What this library reads, then what the packages and examples around it do; a space after each. In one text, which
    /// makes much smaller code than a list.
    private static var known: ByteView {
        ByteView(
            """
            HANKO_API_URL HANKO_TIMEOUT_MS HANKO_CONNECT_TIMEOUT_MS HANKO_MAX_RETRIES HANKO_MAX_CONNECTIONS \
            HANKO_COOKIE_NAME HANKO_CA_FILE HANKO_AUDIENCE HANKO_ALLOW_INSECURE_HTTP HANKO_CONFIRM_REJECTIONS \
            HANKO_LOG HANKO_LIBRARY HANKO_PROTECTED_PATHS HANKO_ADMIN_URL \

            """)
    }
    /// What looks like one of ours and is not.
    private static var ofOthers: StaticString { "HANKO_APP_URL" }
    /// Units and the like that people add to a name, each with a space after it.
    private static var additions: ByteView { ByteView("_MS _S _SEC _SECONDS _MILLISECONDS _LEVEL _COUNT _LIST ") }

    /// The known name that is near to another one; nil for a known one, and where none is near.
    package static func meant(by name: ByteView) -> ByteView? {
        guard name.hasPrefix(ByteView(prefix)), !name.hasPrefix(ByteView("HANKO_TEST_")) else { return nil }
        let own = stem(name)
        guard !own.isEmpty, own.count <= longest, !name.equals(ofOthers) else { return nil }
        var found: ByteView?
        var least = 3
        var position = 0
        while let known = next(of: known, &position) {
            if name.equals(known) { return nil }
            let distance = distance(own, stem(known))
            if distance < least {
                least = distance
                found = known
            }
        }
        position = 0
        while found == nil, let known = next(of: known, &position) {
            if isVariant(own, of: stem(known)) { found = known }
        }
        return found
    }

    private static func stem(_ name: ByteView) -> ByteView { name.slice(from: prefix.utf8CodeUnitCount) }

    /// The next text of a list with a space after each; nil at the end.
    @inline(never)
    private static func next(of list: ByteView, _ position: inout Int) -> ByteView? {
        guard let end = list.firstPosition(of: ASCII.space, from: position) else { return nil }
        defer { position = end &+ 1 }
        return list.slice(from: position, to: end)
    }

    // MARK: Mistyped

    /// How many letters were left out, added, replaced, or swapped with the next, without regard to case; 3 where it is no
    /// mistyping any more.
    @inline(never)
    private static func distance(_ own: ByteView, _ meant: ByteView) -> Int {
        guard abs(own.count &- meant.count) <= 2, meant.count <= longest else { return 3 }
        // Three rows of the table of distances between beginnings.
        var before = InlineArray<33, Int>(repeating: 0)
        var last = before
        var column = 0
        while column <= longest {
            last[column] = column
            column &+= 1
        }
        var row = 1
        while row <= own.count {
            var current = InlineArray<33, Int>(repeating: row)
            column = 1
            while column <= meant.count {
                let isSame = letter(own, row) == letter(meant, column)
                var least = min(min(last[column], current[column &- 1]) &+ 1, last[column &- 1] &+ (isSame ? 0 : 1))
                if row > 1, column > 1, letter(own, row) == letter(meant, column &- 1),
                    letter(own, row &- 1) == letter(meant, column)
                {
                    least = min(least, before[column &- 2] &+ 1)
                }
                current[column] = least
                column &+= 1
            }
            before = last
            last = current
            row &+= 1
        }
        // Where names are short, or begin otherwise, two letters make another word: LANG is not LOG.
        let isSure = meant.count > 4 && letter(own, 1) == letter(meant, 1)
        return last[meant.count] <= (isSure ? 2 : 1) ? last[meant.count] : 3
    }

    /// The letter with a number from 1 on.
    private static func letter(_ text: ByteView, _ number: Int) -> UInt8 { ASCII.lowercased(text[number &- 1]) }

    // MARK: Remembered otherwise

    private static func isVariant(_ own: ByteView, of meant: ByteView) -> Bool {
        if isSingular(own, of: meant) || hasSameWords(own, meant) || lacksWord(own, of: meant) { return true }
        // A unit or the like at the end, in place of ours or besides.
        var position = 0
        while let addition = next(of: additions, &position) {
            guard ends(own, in: addition) else { continue }
            let rest = own.slice(from: 0, to: own.count &- addition.count)
            if rest.equalsIgnoringCase(meant) { return true }
            if ends(meant, in: ByteView("_MS")), rest.equalsIgnoringCase(meant.slice(from: 0, to: meant.count &- 3)) {
                return true
            }
        }
        return false
    }

    @inline(never)
    private static func ends(_ text: ByteView, in end: ByteView) -> Bool {
        let start = text.count &- end.count
        return start > 0 && text.slice(from: start).equalsIgnoringCase(end)
    }

    /// RETRY for RETRIES; a missing S alone is a mistyping.
    private static func isSingular(_ own: ByteView, of meant: ByteView) -> Bool {
        let start = own.count &- 1
        return ends(own, in: ByteView("Y")) && ends(meant, in: ByteView("IES")) && meant.count == own.count &+ 2
            && own.slice(from: 0, to: start).equalsIgnoringCase(meant.slice(from: 0, to: start))
    }

    /// URL_API for API_URL. No name of ours has a word twice.
    private static func hasSameWords(_ own: ByteView, _ meant: ByteView) -> Bool {
        own.count == meant.count && hasWords(own, of: meant)
    }

    /// TIMEOUT for TIMEOUT_MS: the last word is missing, or any one of three, and no other name lacks just that.
    private static func lacksWord(_ own: ByteView, of meant: ByteView) -> Bool {
        guard isWithoutLast(own, of: meant) || wordCount(meant) == 3 && wordCount(own) == 2 && hasWords(own, of: meant)
        else { return false }
        var count = 0
        var position = 0
        while let name = next(of: known, &position) {
            if isWithoutLast(own, of: stem(name)) { count &+= 1 }
        }
        return count <= 1
    }

    @inline(never)
    private static func isWithoutLast(_ own: ByteView, of meant: ByteView) -> Bool {
        guard meant.count > own.count, meant[own.count] == underscore, !own.isEmpty else { return false }
        return meant.firstPosition(of: underscore, from: own.count &+ 1) == nil
            && own.equalsIgnoringCase(meant.slice(from: 0, to: own.count))
    }

    private static var underscore: UInt8 { 0x5F }

    @inline(never)
    private static func wordCount(_ text: ByteView) -> Int {
        var count = 1
        var position = 0
        while position < text.count {
            if text[position] == underscore { count &+= 1 }
            position &+= 1
        }
        return count
    }

    /// Whether every word of a text is one of another.
    @inline(never)
    private static func hasWords(_ text: ByteView, of other: ByteView) -> Bool {
        var start = 0
        while start <= text.count {
            let end = text.firstPosition(of: underscore, from: start) ?? text.count
            guard hasWord(other, text.slice(from: start, to: end)) else { return false }
            start = end &+ 1
        }
        return true
    }

    private static func hasWord(_ text: ByteView, _ word: ByteView) -> Bool {
        var start = 0
        while start <= text.count {
            let end = text.firstPosition(of: underscore, from: start) ?? text.count
            if text.slice(from: start, to: end).equalsIgnoringCase(word) { return true }
            start = end &+ 1
        }
        return false
    }
}
