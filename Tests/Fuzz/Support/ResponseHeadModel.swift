/// The head of an answer as texts in lists, for comparison.
struct ResponseHeadModel {
    private(set) var status = 0
    private(set) var isComplete = false
    private var received = 0
    private var atStatusLine = true
    /// The values of the fields of the latest answer, by name in lower case.
    private var fields: [(name: String, value: String)] = []

    var isTooLarge: Bool { received > 65_536 }

    /// At least two lengths that are not the same number.
    var contentLengthsDiffer: Bool {
        let lengths = values("content-length").map { value in
            value.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(value) : nil
        }
        return lengths.count >= 2 && (lengths.contains(nil) || Set(lengths).count > 1)
    }

    var isChunked: Bool {
        values("transfer-encoding").contains { value in
            let last = value.split(separator: ",", omittingEmptySubsequences: false).last.map(String.init) ?? ""
            return Self.lowercased(Self.trimmed(last)) == "chunked"
        }
    }

    mutating func receive(_ line: [UInt8]) {
        received += line.count
        guard !isTooLarge, !isComplete else { return }
        // Bytes that are not ASCII stay apart from every name and number: each becomes a character of its own.
        let text = String(String.UnicodeScalarView(line.map { Unicode.Scalar($0) }))
        if atStatusLine {
            atStatusLine = false
            let rest = line.drop { $0 != 0x20 }.dropFirst()
            let code = rest.prefix(3)
            let isWhole = rest.count <= 3 || [0x20, 0x0D, 0x0A, 0].contains(rest[rest.startIndex + 3])
            let isNumber = code.count == 3 && code.allSatisfy { (0x30...0x39).contains($0) }
            status = isWhole && isNumber ? Int(String(decoding: code, as: UTF8.self)) ?? 0 : 0
            fields = []
        } else if line.first == 0x0D || line.first == 0x0A {
            isComplete = status >= 200 || status == 101
            atStatusLine = !isComplete
        } else if let colon = text.unicodeScalars.firstIndex(of: ":") {
            var value = text.unicodeScalars[text.unicodeScalars.index(after: colon)...]
            while let last = value.last, last == "\r" || last == "\n" { value.removeLast() }
            let name = Self.trimmed(String(text.unicodeScalars[..<colon]))
            fields.append((Self.lowercased(name), Self.trimmed(String(value))))
        }
    }

    private func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

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
