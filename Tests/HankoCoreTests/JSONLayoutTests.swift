@testable import HankoCore
import Testing

@Suite struct JSONLayoutTests {
    /// Names and values of an object's members, each pair as `name=value`.
    private static func members(_ document: String) -> [String] {
        withBytes(of: document) { view in
            var layout = JSONLayout(view)
            var found: [String] = []
            while let member = layout.nextMember() {
                found.append((member.name.raw.string ?? "?") + "=" + (member.value.string ?? "?"))
            }
            return found
        }
    }

    @Test(
        arguments: [
            ("{}", []), (#"{"a":1}"#, ["a=1"]), (#"{"a":1,"b":null,"c":true}"#, ["a=1", "b=null", "c=true"]),
            (#"{"":""}"#, ["=\"\""]), (#"{"a":[1,[2,{"b":3}]],"c":{}}"#, [#"a=[1,[2,{"b":3}]]"#, "c={}"]),
            (#"{"a":",}]{[","b,":"x"}"#, [#"a=",}]{[""#, #"b,="x""#]),
            (#"{"a\"b":"c\\","d":"\"}"}"#, [#"a\"b="c\\""#, #"d="\"}""#]),
            (#"{"é":"😀"}"#, [#"é="😀""#]),
        ] as [(String, [String])])
    func theMembersAreFound(_ document: String, _ members: [String]) {
        #expect(Self.members(document) == members)
    }

    @Test func escapesInNamesAreKnown() {
        withBytes(of: #"{"\u0061":1,"a":2}"#) { view in
            var layout = JSONLayout(view)
            #expect(layout.nextMember()?.name.equals("a") == true)
            #expect(layout.nextMember()?.name.hasEscapes == false)
            #expect(layout.nextMember() == nil)
        }
    }

    /// Only what was checked before is looked at, but a mistake may neither hang nor read outside.
    @Test func whatIsNoObjectEnds() {
        for document in [
            "", "{", "{\"", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":\"", "[1,2]", "]]]]", "\"\"\"\"",
        ] {
            #expect(Self.members(document).count <= 2, "\(document)")
        }
    }
}
