/// An answer of HTTP/1.1 read from a whole stream by the rules that `ResponseReader` keeps to, written without regard to
/// speed or to pieces: lines as lists, the end of the connection as the end of the stream.
struct ResponseModel: Equatable {
    enum End: Equatable {
        /// There is an answer, and whether its connection may be kept.
        case answer(mayKeep: Bool)
        /// There is none, and what came is not to blame: it ended too early.
        case endsEarly
        /// What came breaks a rule, or a limit.
        case refused
    }

    private(set) var end = End.endsEarly
    private(set) var status = 0
    private(set) var body: [UInt8] = []
    private(set) var hasSurplus = false

    private var rest: ArraySlice<UInt8>
    private var headLength = 0
    private var minorVersion = 0
    private var fields: [(name: String, value: String)] = []

    /// - Parameter hasEnded: whether the connection ended behind the stream.
    init(_ stream: [UInt8], hasEnded: Bool) {
        rest = stream[...]
        end = read(hasEnded) ?? .endsEarly
        if case .answer(mayKeep: true) = end, hasEnded { end = .answer(mayKeep: false) }
        if case .answer = end { return }
        body = []
    }

    static func == (one: Self, other: Self) -> Bool {
        one.end == other.end && one.status == other.status && one.body == other.body
            && one.hasSurplus == other.hasSurplus
    }

    init(end: End, status: Int, body: [UInt8], hasSurplus: Bool) {
        rest = []
        self.end = end
        self.status = status
        self.body = body
        self.hasSurplus = hasSurplus
    }

    private mutating func read(_ hasEnded: Bool) -> End? {
        var interim = 0
        var closes = false
        while true {
            let (head, trouble) = head()
            if let trouble { return trouble }
            guard head else { return nil }
            // Every message may say that the connection ends.
            closes =
                closes
                || values("connection").contains {
                    $0.split(separator: ",").contains { Self.lowercased(Self.trimmed(String($0))) == "close" }
                }
            if status >= 200 || status == 101 { break }
            interim += 1
            if interim > 16 || announcesBody { return .refused }
        }
        let isNeeded = status == 200 || status == 400
        let lengths = values("content-length")
        let codings = values("transfer-encoding").map(Self.lowercased)
        let keeps =
            minorVersion > 0 && ![101, 408, 413, 431].contains(status) && status < 600 && !closes
        if !isNeeded, !keeps { return .answer(mayKeep: false) }
        if status == 204 || status == 304 { return finish(keeps: !announcesBody) }
        let isEncoded = values("content-encoding").contains { !["", "identity"].contains(Self.lowercased($0)) }
        if isNeeded, isEncoded { return .refused }
        if !codings.isEmpty {
            guard codings == ["chunked"], lengths.isEmpty, minorVersion > 0 else { return broken(isNeeded) }
            return chunks(isNeeded, keeps)
        }
        if !lengths.isEmpty {
            guard lengths.count == 1, lengths[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int64(lengths[0])
            else { return broken(isNeeded) }
            guard length <= (isNeeded ? 262_144 : 16_384) else { return broken(isNeeded) }
            guard rest.count >= length else { return isNeeded ? nil : .answer(mayKeep: false) }
            if isNeeded { body = Array(rest.prefix(Int(length))) }
            rest = rest.dropFirst(Int(length))
            return finish(keeps: keeps)
        }
        guard isNeeded else { return .answer(mayKeep: false) }
        guard rest.count <= 262_144 else { return .refused }
        body = Array(rest)
        return hasEnded ? .answer(mayKeep: false) : nil
    }

    private func broken(_ isNeeded: Bool) -> End { isNeeded ? .refused : .answer(mayKeep: false) }

    private mutating func finish(keeps: Bool) -> End {
        // Where a body was announced that cannot be there, nothing behind it is known to be more than that.
        let isWhole = ![204, 304].contains(status) || keeps
        hasSurplus = isWhole && !rest.isEmpty
        return .answer(mayKeep: keeps && !hasSurplus)
    }

    private var announcesBody: Bool {
        let lengths = values("content-length")
        let isNothing =
            lengths.isEmpty
            || lengths.count == 1 && !lengths[0].isEmpty && lengths[0].utf8.allSatisfy { $0 == 0x30 }
        return !values("transfer-encoding").isEmpty || !isNothing
    }

    // MARK: Head

    private mutating func head() -> (isWhole: Bool, End?) {
        let start = Array("HTTP/1.".utf8)
        if !Array(rest.prefix(7)).elementsEqual(start.prefix(rest.count)) { return (false, .refused) }
        guard let first = line() else { return (false, stopped) }
        let digits = first.dropFirst(7)
        guard first.count >= 12, Self.isDigit(digits[7]), first[8] == 0x20, first[9...11].allSatisfy(Self.isDigit),
            first[9] > 0x30, first.count == 12 || first[12] == 0x20
        else { return (false, .refused) }
        status = first[9...11].reduce(0) { $0 * 10 + Int($1) - 0x30 }
        minorVersion = Int(first[7]) - 0x30
        fields = []
        while true {
            guard let line = line() else { return (false, stopped) }
            if line.isEmpty { return (true, nil) }
            let name = line.prefix { $0 != 0x3A }
            guard name.count < line.count, !name.isEmpty, name.allSatisfy(Self.isTokenByte) else {
                return (false, .refused)
            }
            // Bytes that are not ASCII stay apart from every name and number: each becomes a character of its own.
            let value = String(String.UnicodeScalarView(line.dropFirst(name.count + 1).map { Unicode.Scalar($0) }))
            fields.append((Self.lowercased(String(decoding: name, as: UTF8.self)), Self.trimmed(value)))
        }
    }

    /// What it means that there is no further line.
    private var stopped: End? {
        let room = 65_536 - headLength
        // What must not stand in a line is refused where it stands, and what is too long where it is that.
        if let bad = Self.badByte(in: rest), bad < room { return .refused }
        return rest.count > room ? .refused : nil
    }

    /// The next line of a head without its end; nil when there is none, or none that is allowed.
    private mutating func line() -> [UInt8]? {
        guard let end = rest.firstIndex(of: 0x0A), end > rest.startIndex, rest[end - 1] == 0x0D else { return nil }
        let line = Array(rest[..<(end - 1)])
        let length = line.count + 2
        guard !line.contains(0), !line.contains(0x0D), headLength + length <= 65_536 else { return nil }
        headLength += length
        rest = rest[(end + 1)...]
        return line
    }

    /// Where the first byte stands that can be in no line: a NUL, or half of a line end.
    private static func badByte(in bytes: ArraySlice<UInt8>) -> Int? {
        for (position, byte) in bytes.enumerated() {
            let next = position + 1 < bytes.count ? bytes[bytes.startIndex + position + 1] : nil
            let isBadReturn = byte == 0x0D && next != nil && next != 0x0A
            let isBadFeed = byte == 0x0A && (position == 0 || bytes[bytes.startIndex + position - 1] != 0x0D)
            if byte == 0 || isBadFeed || isBadReturn { return position }
        }
        return nil
    }

    private func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    // MARK: Chunks

    private mutating func chunks(_ isNeeded: Bool, _ keeps: Bool) -> End? {
        let unread: End? = isNeeded ? nil : .answer(mayKeep: false)
        let before = rest.count
        var besides = isNeeded ? 65_536 - headLength : 16_384
        var content: [UInt8] = []
        while true {
            let digits = rest.prefix { $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }
            if digits.count > 8 || digits.isEmpty && !rest.isEmpty { return broken(isNeeded) }
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
            rest = rest.dropFirst(digits.count)
            let blanks = rest.prefix { $0 == 0x20 || $0 == 0x09 }
            besides -= blanks.count
            if besides < 0 { return broken(isNeeded) }
            rest = rest.dropFirst(blanks.count)
            if rest.first == 0x3B {
                let text = rest.prefix { ![0, 0x0A, 0x0D].contains($0) }
                besides -= text.count + (text.count < rest.count && rest[text.endIndex] == 0x0D ? 1 : 0)
                if besides < 0 { return broken(isNeeded) }
                rest = rest.dropFirst(text.count)
            }
            switch takeLineEnd() {
            case nil: return unread
            case false?: return broken(isNeeded)
            case true?: break
            }
            if size == 0 { break }
            if content.count + size > (isNeeded ? 262_144 : 16_384) { return broken(isNeeded) }
            content += rest.prefix(size)
            guard rest.count > size else { return unread }
            rest = rest.dropFirst(size)
            switch takeLineEnd() {
            case nil: return unread
            case false?: return broken(isNeeded)
            case true?: break
            }
        }
        while let first = rest.first, first != 0x0D {
            let name = rest.prefix { Self.isTokenByte($0) }
            let colon = rest.dropFirst(name.count).first
            besides -= name.count
            if besides < 0 { return broken(isNeeded) }
            if name.isEmpty || colon != nil && colon != 0x3A { return broken(isNeeded) }
            let text = rest.dropFirst(name.count).prefix { ![0, 0x0A, 0x0D].contains($0) }
            let hasReturn = text.endIndex < rest.endIndex && rest[text.endIndex] == 0x0D
            besides -= text.count + (hasReturn ? 1 : 0)
            if besides < 0 { return broken(isNeeded) }
            rest = rest[text.endIndex...]
            switch takeLineEnd() {
            case nil: return unread
            case false?: return broken(isNeeded)
            case true?: break
            }
        }
        switch takeLineEnd() {
        case nil: return unread
        case false?: return broken(isNeeded)
        case true?: break
        }
        if !isNeeded, before - rest.count > 16_384 { return .answer(mayKeep: false) }
        if isNeeded { body = content }
        return finish(keeps: keeps)
    }

    /// Takes a carriage return and a line feed; false when something else is there, nil when there is not enough.
    private mutating func takeLineEnd() -> Bool? {
        guard let first = rest.first else { return nil }
        guard first == 0x0D else { return false }
        guard let second = rest.dropFirst().first else { return nil }
        guard second == 0x0A else { return false }
        rest = rest.dropFirst(2)
        return true
    }

    // MARK: Bytes

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5A).contains(byte & ~0x20) && byte < 0x80 || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    private static func lowercased(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) | 0x20) : $0 }))
    }

    /// Without blanks and tabs at both ends.
    private static func trimmed(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, first == " " || first == "\t" { scalars.removeFirst() }
        while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
        return String(scalars)
    }
}
