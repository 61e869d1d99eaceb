import HankoCore
import Testing

/// A document and what is special about it.
struct JSONSample: Sendable, CustomTestStringConvertible {
    let rule: String
    let document: [UInt8]
    /// What kind of refusal is due; nil for a document that is accepted.
    var kind: JSONError.Kind?

    init(_ rule: String, _ document: String) { self.init(rule, Array(document.utf8)) }

    init(_ rule: String, _ document: [UInt8]) {
        self.rule = rule
        self.document = document
    }

    static func refused(
        _ rule: String, _ document: String, as kind: JSONError.Kind = .unexpectedByte
    ) -> JSONSample {
        refused(rule, Array(document.utf8), as: kind)
    }

    static func refused(
        _ rule: String, _ document: [UInt8], as kind: JSONError.Kind = .unexpectedByte
    ) -> JSONSample {
        var sample = JSONSample(rule, document)
        sample.kind = kind
        return sample
    }

    var testDescription: String { rule }
}

/// RFC 8259, rule by rule.
@Suite struct JSONReaderTests {
    // MARK: Values (section 3)

    static let values = [
        JSONSample("an object", "{}"),
        JSONSample("an array", "[]"),
        JSONSample("a string", "\"x\""),
        JSONSample("an empty string", "\"\""),
        JSONSample("a number", "1"),
        JSONSample("true", "true"),
        JSONSample("false", "false"),
        JSONSample("null", "null"),
        JSONSample("each kind of value in an array", "[{},[],\"x\",1,true,false,null]"),
        JSONSample("each kind of value in an object", #"{"a":{},"b":[],"c":"x","d":1,"e":true,"f":false,"g":null}"#),
        JSONSample("an empty name", #"{"":1}"#),
        JSONSample("containers in containers", #"[[],[[]],{},{"a":{"b":[{}]}}]"#),
        .refused("nothing", ""),
        .refused("only white space", " \t\r\n "),
        .refused("only NUL", [0]),
        .refused("upper-case true", "TRUE"),
        .refused("True", "True"),
        .refused("a cut true", "tru"),
        .refused("a cut false", "fals"),
        .refused("a cut null", "nul"),
        .refused("a lengthened true", "truex"),
        .refused("a lengthened null", "nulll"),
        .refused("true and a digit", "true1"),
        .refused("undefined", "undefined"),
        .refused("NaN", "NaN"),
        .refused("Infinity", "Infinity"),
        .refused("-Infinity", "-Infinity"),
        .refused("a bare word", "yes"),
        .refused("a string in single quotes", "'x'"),
        .refused("a name without quotes", "{is_valid:true}"),
        .refused("a name in single quotes", "{'is_valid':true}"),
    ]

    // MARK: White space (section 2)

    static let whiteSpace = [
        JSONSample("blank before", " 1"),
        JSONSample("tab before", "\t1"),
        JSONSample("line feed before", "\n1"),
        JSONSample("carriage return before", "\r1"),
        JSONSample("all four after", "1 \t\n\r"),
        JSONSample(
            "all four everywhere", " \t\n\r{ \t\n\r\"a\" \t\n\r: \t\n\r[ \t\n\r1 \t\n\r, \t\n\r2 \t\n\r] \t\n\r} \t\n\r"
        ),
        JSONSample("in empty containers", "[ { } , [ ] ]"),
        .refused("vertical tab", bytes(0x0B, "1")),
        .refused("form feed", bytes(0x0C, "1")),
        .refused("form feed after", bytes("1", 0x0C)),
        .refused("backspace", bytes(0x08, "1")),
        .refused("NUL before", bytes(0, "1")),
        .refused("NUL after", bytes("1", 0)),
        .refused("NUL and a newline after", bytes("{}", 0, "\n")),
        .refused("no-break space", "\u{A0}1"),
        .refused("next line", "\u{85}1"),
        .refused("line separator", "\u{2028}1"),
        .refused("ideographic space", "\u{3000}1"),
        .refused("a byte order mark", "\u{FEFF}{}"),
        .refused("a byte order mark of UTF-16", bytes(0xFF, 0xFE, "{", 0, "}", 0)),
        .refused("UTF-16", bytes("{", 0, "}", 0)),
        .refused("a byte order mark at the end", "{}\u{FEFF}"),
        .refused("a comment of one line", "// yes\n1"),
        .refused("a comment", "/* yes */ 1"),
        .refused("a comment after", "{} // yes"),
        .refused("a comment of a script", "# yes\n1"),
        .refused("white space within true", "tr ue"),
        .refused("white space within a number", "1 0"),
        .refused("white space after a sign", "- 1"),
        .refused("DEL between tokens", bytes("[1", 0x7F, "]")),
    ]

    // MARK: Numbers (section 6)

    static let numbers = [
        JSONSample("zero", "0"),
        JSONSample("minus zero", "-0"),
        JSONSample("minus zero with a fraction", "-0.0"),
        JSONSample("many digits", "1234567890"),
        JSONSample("a fraction", "3.14"),
        JSONSample("zeros in a fraction", "0.000"),
        JSONSample("an exponent", "1e5"),
        JSONSample("an upper-case exponent", "1E5"),
        JSONSample("an exponent with plus", "1e+5"),
        JSONSample("an exponent with minus", "1E-5"),
        JSONSample("leading zeros in an exponent", "1e005"),
        JSONSample("everything at once", "-12.340e+56"),
        JSONSample("zero with an exponent", "0e0"),
        JSONSample("a number no machine holds", "1e999999999"),
        JSONSample("beyond 2^64", "18446744073709551616"),
        JSONSample("a thousand digits", String(repeating: "9", count: 1_000)),
        JSONSample("a fraction of a thousand digits", "0." + String(repeating: "1", count: 1_000)),
        .refused("a leading zero", "01"),
        .refused("two zeros", "00"),
        .refused("a leading zero after the sign", "-01"),
        .refused("plus", "+1"),
        .refused("a lone minus", "-"),
        .refused("a lone plus", "+"),
        .refused("two signs", "--1"),
        .refused("a lone dot", "."),
        .refused("no digit before the dot", ".5"),
        .refused("no digit before the dot after the sign", "-.5"),
        .refused("no digit after the dot", "5."),
        .refused("no digit after the dot in an array", "[5.]"),
        .refused("no digit between dot and exponent", "5.e1"),
        .refused("two dots", "1.2.3"),
        .refused("no digit in the exponent", "1e"),
        .refused("only a sign in the exponent", "1e+"),
        .refused("only a minus in the exponent", "[1e-]"),
        .refused("two signs in the exponent", "1e+-1"),
        .refused("a fraction in the exponent", "1e1.5"),
        .refused("two exponents", "1e1e1"),
        .refused("an exponent alone", "e1"),
        .refused("hexadecimal", "0x10"),
        .refused("a suffix", "1f"),
        .refused("an underscore", "1_000"),
        .refused("a comma for the fraction", "1,5"),
        .refused("digits of another script", "\u{0661}"),
        .refused("NUL after the digits", bytes("[1", 0, "]")),
    ]

    // MARK: Strings (section 7)

    static let strings = [
        JSONSample("every escape of two characters", #""\"\\\/\b\f\n\r\t""#),
        JSONSample("an escape in digits", #""\u0041""#),
        JSONSample("digits in either case", #""\uABCD\uabcd\uAbCd""#),
        JSONSample("an escaped NUL", #""\u0000""#),
        JSONSample("a surrogate pair", #""\ud83d\ude00""#),
        JSONSample("a lone high surrogate", #""\ud800""#),
        JSONSample("a lone low surrogate", #""\udc00""#),
        JSONSample("surrogates in the wrong order", #""\ude00\ud83d""#),
        JSONSample("a high surrogate before another escape", #""\ud800\n""#),
        JSONSample("a high surrogate before text", #""\ud800x""#),
        JSONSample("DEL", bytes("\"", 0x7F, "\"")),
        JSONSample("the first that needs no escape", "\" \""),
        JSONSample("a slash without an escape", "\"/\""),
        JSONSample("a single quote", "\"'\""),
        JSONSample("U+2028 and U+2029", "\"\u{2028}\u{2029}\""),
        JSONSample("a byte order mark within a string", "\"\u{FEFF}\""),
        JSONSample("brackets and commas in a string", #""[{,:}]""#),
        JSONSample("a noncharacter", "\"\u{FFFF}\""),
        JSONSample("a backslash at the end", #""\\""#),
        .refused("no end", "\"x"),
        .refused("a lone quote", "\""),
        .refused("an end that is escaped", #""x\""#),
        .refused("a backslash at the end of the text", #""x\"#),
        .refused("an unknown escape", #""\x41""#),
        .refused("an escape of an upper-case letter", #""\N""#),
        .refused("an upper-case escape in digits", #""\U0041""#),
        .refused("an escaped single quote", #""\'""#),
        .refused("an escaped zero", #""\0""#),
        .refused("\\v", #""\v""#),
        .refused("\\a", #""\a""#),
        .refused("an escaped line end", "\"\\\n\""),
        .refused("an escaped NUL byte", bytes("\"\\", 0, "\"")),
        .refused("no digits", #""\u""#),
        .refused("three digits", #""\u004""#),
        .refused("three digits and the end", #""\u004"#),
        .refused("a bad first digit", #""\ug041""#),
        .refused("a bad last digit", #""\u004g""#),
        .refused("a sign among the digits", #""\u+041""#),
        .refused("a blank among the digits", #""\u 041""#),
        .refused("digits in braces", #""\u{41}""#),
        .refused("a bad digit in the second half", #""\ud83d\ude0g""#),
        .refused("an escape outside of a string", #"\u0022x\u0022"#),
    ]

    @Test(arguments: values + whiteSpace + numbers + strings)
    func grammarOfValues(_ sample: JSONSample) {
        #expect(JSONTrace.refusal(of: sample.document)?.kind == sample.kind)
    }

    @Test(arguments: UInt8(0)..<0x20)
    func everyControlCharacterNeedsAnEscape(_ byte: UInt8) {
        #expect(JSONTrace.refusal(of: bytes("\"a", Int(byte), "b\""))?.kind == .unexpectedByte)
        #expect(JSONTrace.refusal(of: bytes("{\"a", Int(byte), "b\":1}"))?.kind == .unexpectedByte)
    }

    @Test func everyOtherASCIICharacterStandsForItself() {
        for byte in 0x20...0x7F where byte != 0x22 && byte != 0x5C {
            #expect(JSONTrace.string(bytes("\"", byte, "\"")) { $0.bytes() } == [UInt8(byte)], "\(byte)")
        }
    }

    @Test func onlyEightCharactersAndUMayFollowABackslash() {
        let allowed = Array("\"\\/bfnrtu".utf8)
        for byte in 0...0xFF {
            // Four digits follow, so that u is complete; after every other escape they are text.
            let document = bytes("\"\\", byte, "0041\"")
            let isAccepted = JSONTrace.refusal(of: document) == nil
            #expect(isAccepted == allowed.contains(UInt8(byte)), "\(byte)")
        }
    }

    @Test func onlySixCharactersBeginAValueBesidesDigits() {
        let allowed = Array("{[\"tfn-0123456789 \t\r\n".utf8)
        for byte in 0...0xFF where !allowed.contains(UInt8(byte)) {
            for rest in ["", "1", "rue", "\"", "]"] {
                #expect(JSONTrace.refusal(of: bytes(byte, rest))?.position == 0, "\(byte)")
                #expect(JSONTrace.refusal(of: bytes("{\"a\":", byte, rest, "}"))?.position == 5, "\(byte)")
            }
        }
    }

    // MARK: UTF-8 (section 8.1)

    static let encodings = [
        JSONSample("two bytes, lowest and highest", "\"\u{80}\u{7FF}\""),
        JSONSample("three bytes, lowest and highest", "\"\u{800}\u{FFFF}\""),
        JSONSample("around the surrogates", "\"\u{D7FF}\u{E000}\""),
        JSONSample("four bytes, lowest and highest", "\"\u{10000}\u{10FFFF}\""),
        JSONSample("in a name", "{\"\u{E9}\u{1F600}\":1}"),
        .refused("a continuation byte alone", bytes("\"", 0x80, "\""), as: .notUTF8),
        .refused("the highest continuation byte alone", bytes("\"", 0xBF, "\""), as: .notUTF8),
        .refused("a lead byte alone", bytes("\"", 0xC3, "\""), as: .notUTF8),
        .refused("a lead byte before ASCII", bytes("\"", 0xC3, "a\""), as: .notUTF8),
        .refused("two of three bytes", bytes("\"", 0xE2, 0x82, "\""), as: .notUTF8),
        .refused("three of four bytes", bytes("\"", 0xF0, 0x9F, 0x98, "\""), as: .notUTF8),
        .refused("two of three bytes at the end of the text", bytes("\"", 0xE2, 0x82), as: .notUTF8),
        .refused("three of four bytes at the end of the text", bytes("\"", 0xF0, 0x9F, 0x98), as: .notUTF8),
        .refused("overlong NUL", bytes("\"", 0xC0, 0x80, "\""), as: .notUTF8),
        .refused("overlong, the highest of two bytes", bytes("\"", 0xC1, 0xBF, "\""), as: .notUTF8),
        .refused("overlong quote", bytes("\"", 0xC0, 0xA2, "\""), as: .notUTF8),
        .refused("overlong, three bytes", bytes("\"", 0xE0, 0x9F, 0xBF, "\""), as: .notUTF8),
        .refused("overlong, four bytes", bytes("\"", 0xF0, 0x8F, 0xBF, 0xBF, "\""), as: .notUTF8),
        .refused("the lowest surrogate", bytes("\"", 0xED, 0xA0, 0x80, "\""), as: .notUTF8),
        .refused("the highest surrogate", bytes("\"", 0xED, 0xBF, 0xBF, "\""), as: .notUTF8),
        .refused("a pair of surrogates", bytes("\"", 0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80, "\""), as: .notUTF8),
        .refused("U+110000", bytes("\"", 0xF4, 0x90, 0x80, 0x80, "\""), as: .notUTF8),
        .refused("a lead byte of no character", bytes("\"", 0xF5, 0x80, 0x80, 0x80, "\""), as: .notUTF8),
        .refused("five bytes", bytes("\"", 0xF8, 0x88, 0x80, 0x80, 0x80, "\""), as: .notUTF8),
        .refused("0xFE", bytes("\"", 0xFE, "\""), as: .notUTF8),
        .refused("0xFF", bytes("\"", 0xFF, "\""), as: .notUTF8),
        .refused("Latin-1", bytes("{\"name\":\"Ad", 0xE8, "le\"}"), as: .notUTF8),
        .refused("in a name", bytes("{\"", 0xC3, "\":1}"), as: .notUTF8),
        .refused("in a member that nobody looks at", bytes("{\"is_valid\":true,\"x\":[\"", 0xFF, "\"]}"), as: .notUTF8),
        .refused("outside of a string", bytes("[", 0xC3, 0xA9, "]")),
        .refused("after the value", bytes("{}", 0xC3, 0xA9)),
    ]

    // MARK: Structure (sections 4 and 5)

    static let structures = [
        JSONSample("several elements", "[1,2,3]"),
        JSONSample("several members", #"{"a":1,"b":2}"#),
        .refused("a trailing comma in an array", "[1,]"),
        .refused("a trailing comma in an object", #"{"a":1,}"#),
        .refused("only a comma in an array", "[,]"),
        .refused("only a comma in an object", "{,}"),
        .refused("a leading comma in an array", "[,1]"),
        .refused("a leading comma in an object", #"{,"a":1}"#),
        .refused("two commas in an array", "[1,,2]"),
        .refused("two commas in an object", #"{"a":1,,"b":2}"#),
        .refused("no comma in an array", "[1 2]"),
        .refused("no comma between containers", "[[][]]"),
        .refused("no comma in an object", #"{"a":1 "b":2}"#),
        .refused("a semicolon for a comma", "[1;2]"),
        .refused("no colon", #"{"a" 1}"#),
        .refused("two colons", #"{"a"::1}"#),
        .refused("an equals sign for the colon", #"{"a"=1}"#),
        .refused("a comma for the colon", #"{"a",1}"#),
        .refused("no value", #"{"a":}"#),
        .refused("no value before a comma", #"{"a":,"b":1}"#),
        .refused("only a name", #"{"a"}"#),
        .refused("no name", "{:1}"),
        .refused("a number for a name", "{1:1}"),
        .refused("null for a name", "{null:1}"),
        .refused("an array for a name", "{[]:1}"),
        .refused("a member in an array", #"["a":1]"#),
        .refused("an element in an object", "{1}"),
        .refused("an array that is not closed", "[1"),
        .refused("an array that ends with a comma", "[1,"),
        .refused("an object that is not closed", #"{"a":1"#),
        .refused("an object that ends after the name", #"{"a""#),
        .refused("an object that ends after the colon", #"{"a":"#),
        .refused("an object that ends after the comma", #"{"a":1,"#),
        .refused("an open bracket", "["),
        .refused("an open brace", "{"),
        .refused("an inner array that is not closed", "[[1]"),
        .refused("an inner object that is not closed", #"{"a":{"b":1}"#),
        .refused("an array closed by a brace", "[1}"),
        .refused("an object closed by a bracket", #"{"a":1]"#),
        .refused("an empty array closed by a brace", "[}"),
        .refused("an empty object closed by a bracket", "{]"),
        .refused("crossed containers", #"[{"a":1]}"#),
        .refused("a closed bracket alone", "]"),
        .refused("a closed brace alone", "}"),
        .refused("one bracket too many", "[]]"),
        .refused("one brace too many", "{}}"),
        .refused("a comma after the value", "{},"),
        .refused("text after the value", "{}x"),
        .refused("a second value", "{}{}"),
        .refused("a second value after white space", "1 2"),
        .refused("a second line", "{\"is_valid\":true}\n{\"is_valid\":false}"),
        .refused("a second string", #""a""b""#),
        .refused("a quote after a string", #""a"""#),
        .refused("NUL between members", bytes(#"{"x":1"#, 0, #","is_valid":true}"#)),
        .refused("NUL before the first member", bytes("{", 0, #""is_valid":true}"#)),
        .refused("NUL before the colon", bytes(#"{"is_valid""#, 0, ":true}")),
        .refused("NUL after the colon", bytes(#"{"is_valid":"#, 0, "true}")),
        .refused("NUL before the end", bytes(#"{"is_valid":true"#, 0, "}")),
        .refused("NUL and more after the value", bytes(#"{"is_valid":true}"#, 0, "rest")),
        .refused("HTML", "<!doctype html><title>It works</title>"),
    ]

    @Test(arguments: encodings + structures)
    func encodingAndStructure(_ sample: JSONSample) {
        #expect(JSONTrace.refusal(of: sample.document)?.kind == sample.kind)
    }

    @Test func everyBeginningOfADocumentIsRefused() throws {
        let document = Array(#"{"a":[1.5e+3,true,false,null,"\u00e9é😀"],"b":{"c":{}}}"#.utf8)
        #expect(JSONTrace.refusal(of: document) == nil)
        for length in 0..<document.count {
            let refusal = try #require(JSONTrace.refusal(of: Array(document[..<length])), "\(length)")
            #expect(refusal.position <= length)
        }
    }

    @Test func aRefusalSaysWhere() {
        #expect(JSONTrace.refusal(of: "{\"a\":01}")?.position == 6)
        #expect(JSONTrace.refusal(of: "[1,]")?.position == 3)
        #expect(JSONTrace.refusal(of: "")?.position == 0)
        #expect(JSONTrace.refusal(of: bytes("\"ab", 0xFF, "\""))?.position == 3)
    }

    // MARK: Depth

    private static func nested(
        _ opening: String, _ depth: Int, _ closing: String, _ innermost: String = "1"
    ) -> String {
        String(repeating: opening, count: depth) + innermost + String(repeating: closing, count: depth)
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func sixtyFourLevelsAreAcceptedAndOneMoreRefused(_ opening: String, _ closing: String) {
        #expect(JSONReader.maximumDepth == 64)
        #expect(JSONTrace.isAccepted(Self.nested(opening, 64, closing)))
        #expect(JSONTrace.refusal(of: Self.nested(opening, 65, closing))?.kind == .tooDeep)
    }

    @Test func mixedLevelsCountTogether() {
        // Two levels each time.
        #expect(JSONTrace.isAccepted(Self.nested(#"[{"a":"#, 32, "}]")))
        #expect(JSONTrace.refusal(of: "[" + Self.nested(#"[{"a":"#, 32, "}]") + "]")?.kind == .tooDeep)
        #expect(JSONTrace.refusal(of: #"{"x":"# + Self.nested(#"{"a":["#, 32, "]}") + "}")?.kind == .tooDeep)
    }

    @Test func depthIsGivenBackWhenAContainerEnds() {
        let full = Self.nested("[", 63, "]")
        #expect(JSONTrace.isAccepted("[\(full),\(full),{\"a\":\(Self.nested("[", 62, "]"))}]"))
        #expect(JSONTrace.isAccepted("[" + Array(repeating: "[]", count: 1_000).joined(separator: ",") + "]"))
    }

    @Test func aBombOfBracketsEndsAtTheLimit() {
        let refusal = JSONTrace.refusal(of: String(repeating: "[", count: 200_000))
        #expect(refusal?.kind == .tooDeep)
        #expect(refusal?.position == 64)
    }

    @Test func theKindOfEveryLevelIsRemembered() {
        // Array and object in turn down to the limit: each must be closed by its own sign and have its own members.
        for wrong in 0..<64 {
            var opening = ""
            var closing: [String] = []
            for level in 0..<64 {
                opening += level % 2 == 0 ? "[" : #"{"a":"#
                let isWrong = level == wrong
                closing.append(level % 2 == 0 ? (isWrong ? "}" : "]") : (isWrong ? "]" : "}"))
            }
            let document = opening + "1" + closing.reversed().joined()
            #expect(JSONTrace.refusal(of: document)?.kind == .unexpectedByte, "level \(wrong)")
        }
    }

    // MARK: Names

    static let names = [
        JSONSample("different names", #"{"a":1,"b":1,"A":1,"aa":1,"":1}"#),
        JSONSample("the same name in an inner object", #"{"a":{"a":{"a":1}}}"#),
        JSONSample("the same name in neighbours", #"[{"a":1},{"a":1}]"#),
        JSONSample("the same name in two members", #"{"x":{"a":1},"y":{"a":1},"a":1}"#),
        JSONSample("the name again after the inner object", #"{"x":{"a":1},"a":2}"#),
        JSONSample("a name that is also a text", #"{"a":"a","b":"a"}"#),
        JSONSample("names that differ in their form of Unicode", "{\"\u{E9}\":1,\"e\u{301}\":2}"),
        JSONSample("names that differ after an escaped NUL", #"{"a\u0000b":1,"a\u0000c":2,"a":3}"#),
        JSONSample("lone surrogates that differ", #"{"\ud800":1,"\ud801":2}"#),
        JSONSample("an escape and the text it looks like", #"{"\u0061":1,"\\u0061":2}"#),
        .refused("twice", #"{"a":1,"a":1}"#, as: .duplicateKey),
        .refused("twice with others between", #"{"a":1,"b":2,"a":3}"#, as: .duplicateKey),
        .refused("the empty name twice", #"{"":1,"":2}"#, as: .duplicateKey),
        .refused("is_valid twice with one value", #"{"is_valid":true,"is_valid":true}"#, as: .duplicateKey),
        .refused("twice in an inner object", #"{"x":{"a":1,"a":2}}"#, as: .duplicateKey),
        .refused("twice in an array", #"[[{"a":1,"a":2}]]"#, as: .duplicateKey),
        .refused("twice around an inner object", #"{"a":{"b":1},"a":2}"#, as: .duplicateKey),
        .refused("twice around an inner object of the same name", #"{"a":{"a":1},"a":2}"#, as: .duplicateKey),
        .refused("twice at the deepest level", nested("[", 63, "]", #"{"a":1,"a":2}"#), as: .duplicateKey),
        .refused("the second one escaped", #"{"a":1,"\u0061":2}"#, as: .duplicateKey),
        .refused("the first one escaped", #"{"\u0061":1,"a":2}"#, as: .duplicateKey),
        .refused("both escaped, digits in either case", #"{"\u004a":1,"\u004A":2}"#, as: .duplicateKey),
        .refused("is_valid with one letter escaped", #"{"is_valid":false,"is\u005fvalid":true}"#, as: .duplicateKey),
        .refused("two ways to escape a slash", #"{"a\/b":1,"a/b":2}"#, as: .duplicateKey),
        .refused("two ways to escape a line feed", #"{"\n":1,"\u000a":2}"#, as: .duplicateKey),
        .refused("two bytes and its escape", #"{"é":1,"\u00e9":2}"#, as: .duplicateKey),
        .refused("four bytes and its escape", #"{"😀":1,"\ud83d\ude00":2}"#, as: .duplicateKey),
        .refused("an escaped NUL twice", #"{"a\u0000b":1,"a\u0000b":2}"#, as: .duplicateKey),
        .refused("a lone surrogate twice", #"{"\ud800":1,"\uD800":2}"#, as: .duplicateKey),
    ]

    @Test(arguments: names)
    func noObjectHasAMemberTwice(_ sample: JSONSample) {
        #expect(JSONTrace.refusal(of: sample.document)?.kind == sample.kind)
    }

    private static func object(members: Int, last: String = "") -> String {
        "{" + (0..<members).map { "\"name\($0)\":\($0)" }.joined(separator: ",") + last + "}"
    }

    /// 32 names take no allocation; 33 make the first table, 65 the next, and so on.
    @Test(arguments: [1, 2, 31, 32, 33, 34, 63, 64, 65, 127, 128, 129, 255, 257, 5_000])
    func duplicatesAreSeenAmongAnyNumberOfNames(_ members: Int) {
        #expect(JSONTrace.isAccepted(Self.object(members: members)))
        #expect(JSONTrace.isAccepted(Self.object(members: members, last: #","other":1"#)))
        for position in Set([0, members / 2, members - 1]) {
            let plain = Self.object(members: members, last: ",\"name\(position)\":0")
            #expect(JSONTrace.refusal(of: plain)?.kind == .duplicateKey, "\(position)")
            let escaped = Self.object(members: members, last: ",\"\\u006eame\(position)\":0")
            #expect(JSONTrace.refusal(of: escaped)?.kind == .duplicateKey, "\(position)")
        }
    }

    @Test func thousandsOfObjectsMayShareTheirNames() {
        let many = "[" + Array(repeating: #"{"a":1,"b":{"a":1}}"#, count: 3_000).joined(separator: ",")
        #expect(JSONTrace.isAccepted(many + "]"))
        #expect(JSONTrace.refusal(of: many + #",{"a":1,"b":2,"a":3}]"#)?.kind == .duplicateKey)
    }

    @Test func anObjectIsNotForgottenBehindThousandsOfOthers() {
        let inner = Array(repeating: #"{"a":1}"#, count: 3_000).joined(separator: ",")
        #expect(JSONTrace.isAccepted("{\"a\":[\(inner)],\"b\":1}"))
        #expect(JSONTrace.refusal(of: "{\"a\":[\(inner)],\"a\":1}")?.kind == .duplicateKey)
    }

    // MARK: Pulling

    @Test func tokensComeInTheOrderOfTheText() throws {
        let tokens = try JSONTrace.tokens(
            of: #" { "a" : [ 1 , { } , [ ] , "x" ] , "b\n" : { "c" : true , "d" : false } , "e" : null } "#)
        #expect(
            tokens == [
                "{", "key a", "[", "number 1", "{", "}", "[", "]", "string x", "]", "key b\n", "{", "key c", "true",
                "key d", "false", "}", "key e", "null", "}", "end",
            ])
    }

    @Test func theEndIsGivenAgain() throws {
        try withBytes(of: "1 ") { view in
            var reader = JSONReader(view)
            _ = try reader.next()
            for _ in 0..<3 {
                let token = try reader.next()
                guard case .end = token else {
                    Issue.record("something comes after the end")
                    return
                }
            }
        }
    }

    @Test func depthIsThatOfTheOpenContainers() throws {
        try withBytes(of: #"[{"a":[]}]"#) { view in
            var reader = JSONReader(view)
            var depths = [reader.depth]
            for _ in 0..<7 {
                _ = try reader.next()
                depths.append(reader.depth)
            }
            #expect(depths == [0, 1, 2, 2, 3, 2, 1, 0])
        }
    }

    @Test(arguments: ["-0", "1.50", "1E+2", "9007199254740993", "123456789012345678901234567890.0001"])
    func numbersAreKeptAsWritten(_ number: String) throws {
        #expect(try JSONTrace.tokens(of: "[ \(number) ]") == ["[", "number \(number)", "]", "end"])
        #expect(try JSONTrace.tokens(of: number) == ["number \(number)", "end"])
    }

    @Test func whatIsSkippedIsKeptAsWritten() throws {
        let inner = #"{ "b" : [1.0, "\u0041\/", {}], "c":{"d":[[]]} }"#
        try withBytes(of: "{\"a\": \(inner) , \"z\":1}") { view in
            var reader = JSONReader(view)
            _ = try reader.next()
            _ = try reader.next()
            guard case .beginObject = try reader.next() else {
                Issue.record("no object")
                return
            }
            let skipped = try reader.skipOpenContainer()
            #expect(skipped.string == inner)
            guard case .key(let key) = try reader.next() else {
                Issue.record("no member after what was skipped")
                return
            }
            #expect(key.equals("z"))
        }
    }

    @Test func anEmptyContainerAndTheWholeDocumentCanBeSkipped() throws {
        for document in ["[]", "{ }", #"[[1],{"a":2}]"#] {
            try withBytes(of: " \(document) ") { view in
                var reader = JSONReader(view)
                _ = try reader.next()
                let skipped = try reader.skipOpenContainer()
                #expect(skipped.string == document)
                guard case .end = try reader.next() else {
                    Issue.record("no end after \(document)")
                    return
                }
            }
        }
    }

    @Test(arguments: [#"[[01]]"#, #"[{"a":1,"a":2}]"#, "[[\"\u{1}\"]]", "[[1]", "[[1}]"])
    func whatIsSkippedIsCheckedAsWell(_ document: String) throws {
        try withBytes(of: document) { view in
            var reader = JSONReader(view)
            _ = try reader.next()
            var wasRefused = false
            do {
                _ = try reader.skipOpenContainer()
            } catch {
                wasRefused = true
            }
            #expect(wasRefused)
        }
    }

    // MARK: Members

    @Test func theMembersOfAnObjectAreGivenOneByOne() throws {
        try withBytes(of: #" { "a" : 1 , "b" : { "c" : "d" } , "e" : [ ] , "f" : null } "#) { view in
            var reader = JSONReader(view)
            var found: [String] = []
            let isObject = try reader.openObject()
            while let key = try reader.nextKey() {
                let name = key.raw.string ?? "?"
                if key.equals("b") {
                    let isInnerObject = try reader.openObject()
                    #expect(isInnerObject)
                    let start = reader.position - 1
                    while let inner = try reader.nextKey() {
                        found.append(name + "." + (inner.raw.string ?? "?"))
                        _ = try reader.field()
                    }
                    #expect(reader.text(from: start).string == #"{ "c" : "d" }"#)
                } else {
                    found.append(name)
                    _ = try reader.field()
                }
            }
            try reader.finish()
            #expect(isObject)
            #expect(found == ["a", "b.c", "e", "f"])
            #expect(reader.whiteSpaceCount == view.bytes().filter { $0 == 0x20 }.count)
        }
    }

    @Test(arguments: ["1", "\"{}\"", "null", "[]", #"[{"a":1},[2]]"#])
    func whatIsNoObjectIsReadToItsEnd(_ document: String) throws {
        try withBytes(of: document) { view in
            var reader = JSONReader(view)
            let isObject = try reader.openObject()
            #expect(!isObject)
            #expect(reader.position == view.count)
            try reader.finish()
        }
    }

    @Test func membersAreOnlyGivenWhereThereAreSome() {
        Self.expectRefusal(of: "[1]") { (reader) throws(JSONError) in
            _ = try reader.next()
            _ = try reader.nextKey()
        }
        Self.expectRefusal(of: "[1,2]") { (reader) throws(JSONError) in
            _ = try reader.next()
            _ = try reader.next()
            _ = try reader.nextKey()
        }
        Self.expectRefusal(of: #"{"a":1}"#) { (reader) throws(JSONError) in _ = try reader.nextKey() }
        Self.expectRefusal(of: #"{"a":1}"#) { (reader) throws(JSONError) in
            _ = try reader.next()
            _ = try reader.field()
        }
        Self.expectRefusal(of: #"{"a":1}"#) { (reader) throws(JSONError) in
            _ = try reader.next()
            _ = try reader.nextKey()
            _ = try reader.nextKey()
        }
        Self.expectRefusal(of: #"{"a":1 "b":2}"#) { (reader) throws(JSONError) in
            _ = try reader.next()
            _ = try reader.nextKey()
            _ = try reader.field()
            _ = try reader.nextKey()
        }
    }

    private static func expectRefusal(
        of document: String, _ read: (inout JSONReader) throws(JSONError) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        withBytes(of: document) { view in
            var reader = JSONReader(view)
            do throws(JSONError) {
                try read(&reader)
                Issue.record("\(document) is not refused", sourceLocation: sourceLocation)
            } catch {
                #expect(error.kind == .unexpectedByte, sourceLocation: sourceLocation)
            }
        }
    }

    /// Of one length, with one first and one last letter: what is quickly said of them does not tell them apart.
    @Test func namesThatLookAlikeAreToldApart() {
        let names = (0..<40).map { "a\($0 < 10 ? "0" : "")\($0)z" }
        for count in [2, 31, 32, 33, 40] {
            let members = names[..<count].map { "\"\($0)\":1" }.joined(separator: ",")
            #expect(JSONTrace.isAccepted("{\(members)}"), "\(count)")
            for position in [0, count / 2, count - 1] {
                let again = "\"\(names[position])\":2"
                #expect(JSONTrace.refusal(of: "{\(members),\(again)}")?.kind == .duplicateKey, "\(count), \(position)")
                let escaped = "\"\\u0061\(names[position].dropFirst())\":2"
                #expect(
                    JSONTrace.refusal(of: "{\(members),\(escaped)}")?.kind == .duplicateKey, "\(count), \(position)")
                // In another object it is another member.
                #expect(JSONTrace.isAccepted("[{\(members)},{\(again)},{\(escaped)}]"))
            }
        }
    }
}
