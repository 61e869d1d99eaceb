import CSystem

/// Bytes that somebody else owns, read without ever trapping and without ever reading outside of them.
///
/// Everything that parses outside data reads through this type: a position outside of the view answers 0, so that a
/// mistake in a parser can refuse good input but cannot stop the host process.
package struct ByteView {
    private let base: UnsafePointer<UInt8>?
    package let count: Int

    @inline(__always)
    package init(_ base: UnsafePointer<UInt8>?, count: Int) {
        self.base = base
        self.count = base == nil ? 0 : max(0, count)
    }

    package init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.init(buffer.baseAddress, count: buffer.count)
    }

    @inline(__always)
    package init(_ text: StaticString) {
        // A StaticString made of a single scalar has no pointer; the library has none of those.
        self.init(text.hasPointerRepresentation ? text.utf8Start : nil, count: text.utf8CodeUnitCount)
    }

    package static var empty: ByteView { ByteView(nil, count: 0) }

    package var isEmpty: Bool { count == 0 }

    /// The address of the first byte, for C functions; nil when there are no bytes.
    package var start: UnsafePointer<UInt8>? { base }

    /// The byte at a position; 0 outside of the view.
    @inline(__always)
    package subscript(position: Int) -> UInt8 {
        // Where there is a position within, there is a base: without one the initialiser makes the count 0. This is where
        // parsers spend their time, so it is not asked again.
        guard UInt(bitPattern: position) < UInt(bitPattern: count) else { return 0 }
        return base.unsafelyUnwrapped[position]
    }

    /// How many bytes from a position on are ASCII for sure: whole words of eight, so it may be fewer than there are.
    package func asciiRun(from position: Int) -> Int {
        guard let base, position >= 0 else { return 0 }
        var end = position
        // Four words at a time as long as there are four: most of what is asked about is a long token.
        while count &- end >= 32 {
            let first = Self.word(base + end) | Self.word(base + end + 8)
            let second = Self.word(base + end + 16) | Self.word(base + end + 24)
            guard (first | second) & 0x8080_8080_8080_8080 == 0 else { break }
            end &+= 32
        }
        while count &- end >= 8, Self.word(base + end) & 0x8080_8080_8080_8080 == 0 { end &+= 8 }
        return end &- position
    }

    /// Eight bytes, the first one in the lowest bits.
    @inline(__always)
    static func word(_ start: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    }

    /// The bytes from `start` up to `end`, cut to what the view has.
    @inline(__always)
    package func slice(from start: Int, to end: Int) -> ByteView {
        guard let base else { return .empty }
        let lower = min(max(0, start), count)
        return ByteView(base + lower, count: min(max(lower, end), count) &- lower)
    }

    @inline(__always)
    package func slice(from start: Int) -> ByteView { slice(from: start, to: count) }

    /// The position of the first `byte` at or after `start`; nil when there is none.
    package func firstPosition(of byte: UInt8, from start: Int = 0) -> Int? {
        let start = max(0, start)
        guard let base, start < count, let found = memchr(base + start, Int32(byte), count &- start) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    package func contains(_ byte: UInt8) -> Bool { firstPosition(of: byte) != nil }

    @inline(__always)
    package func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        return hasPrefix(other)
    }

    /// Here the compiler knows the text: it compares the length and a few words, without a call.
    @inline(__always)
    package func equals(_ text: StaticString) -> Bool { equals(ByteView(text)) }

    @inline(__always)
    package func hasPrefix(_ prefix: ByteView) -> Bool {
        guard prefix.count <= count else { return false }
        guard let base, let other = prefix.base, prefix.count > 0 else { return prefix.isEmpty }
        return memcmp(base, other, prefix.count) == 0
    }

    /// Whether another text stands anywhere in this one.
    package func holds(_ other: ByteView) -> Bool {
        var position = 0
        while count &- position >= other.count {
            if slice(from: position).hasPrefix(other) { return true }
            position &+= 1
        }
        return false
    }

    /// Compares without regard to ASCII case, as header names are compared (RFC 9110 section 5.1).
    package func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        var position = 0
        while position < count {
            let mine = self[position]
            let theirs = other[position]
            if mine != theirs, ASCII.lowercased(mine) != ASCII.lowercased(theirs) { return false }
            position &+= 1
        }
        return true
    }

    /// Without the blanks and tabs at both ends.
    @inline(__always)
    package func trimmed() -> ByteView {
        var lower = 0
        var upper = count
        while lower < upper, ASCII.isBlank(self[lower]) { lower &+= 1 }
        while upper > lower, ASCII.isBlank(self[upper &- 1]) { upper &-= 1 }
        return slice(from: lower, to: upper)
    }

    /// A decimal number of digits only, at most `maximum`; nil for everything else.
    package func decimal(atMost maximum: Int64) -> Int64? {
        guard count > 0 else { return nil }
        var value: Int64 = 0
        var position = 0
        while position < count {
            guard let digit = ASCII.digit(self[position]) else { return nil }
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(digit)
            if productOverflows || sumOverflows || sum > maximum { return nil }
            value = sum
            position &+= 1
        }
        return value
    }

    /// A copy, for what must outlive the bytes.
    package func bytes() -> [UInt8] {
        guard let base, count > 0 else { return [] }
        return [UInt8](UnsafeBufferPointer(start: base, count: count))
    }

    /// The bytes as text; what is not UTF-8 is replaced. For our own words and configuration only, never for a token.
    package func text() -> String {
        guard let base, count > 0 else { return "" }
        return String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
    }
}
