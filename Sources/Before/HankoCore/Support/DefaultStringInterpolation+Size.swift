// What texts are made of, compiled once instead of wherever a text is made: the library stays small.
extension DefaultStringInterpolation {
    @inline(never)
    package mutating func appendInterpolation(_ number: Int64) { appendLiteral(number.description) }

    package mutating func appendInterpolation(_ number: Int) { appendInterpolation(Int64(number)) }
    package mutating func appendInterpolation(_ number: Int32) { appendInterpolation(Int64(number)) }
    package mutating func appendInterpolation(_ number: UInt32) { appendInterpolation(Int64(number)) }

    @inline(never)
    package mutating func appendInterpolation(_ text: StaticString) { appendLiteral(text.description) }

    @inline(never)
    package mutating func appendInterpolation(_ text: String) { appendLiteral(text) }
}
