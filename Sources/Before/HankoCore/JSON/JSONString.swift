import CSystem

/// A string of a JSON document as it was written, without its quotes; escapes are resolved while it is read.
///
/// Only `JSONReader` makes these, so the escapes are known to be well-formed. A lone surrogate (`\ud800`), which
/// RFC 8259 section 8.2 allows and no Unicode text can hold, comes out as the three bytes that UTF-8 would give it, so
/// that equal strings stay equal and different ones different.
package struct JSONString {
    package let raw: ByteView
    package let hasEscapes: Bool

    package init(raw: ByteView, hasEscapes: Bool) {
        self.raw = raw
        self.hasEscapes = hasEscapes
    }

    package var isEmpty: Bool { raw.isEmpty }

    @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        // Apart from the other `equals`, so that the compiler knows the text it compares with.
        hasEscapes ? resolvedEquals(ByteView(text)) : raw.equals(text)
    }

    package func equals(_ text: ByteView) -> Bool { hasEscapes ? resolvedEquals(text) : raw.equals(text) }

    /// Not inlined: names are compared in many places, and hardly ever have escapes.
    @inline(never)
    private func resolvedEquals(_ text: ByteView) -> Bool {
        var decoder = JSONStringDecoder(self)
        var position = 0
        while let byte = decoder.next() {
            guard position < text.count, byte == text[position] else { return false }
            position &+= 1
        }
        return position == text.count
    }

    package func equals(_ other: JSONString) -> Bool {
        hasEscapes || other.hasEscapes ? resolvedEquals(other) : raw.equals(other.raw)
    }

    @inline(never)
    private func resolvedEquals(_ other: JSONString) -> Bool {
        var mine = JSONStringDecoder(self)
        var theirs = JSONStringDecoder(other)
        while true {
            let byte = mine.next()
            if byte != theirs.next() { return false }
            if byte == nil { return true }
        }
    }

    package func hasPrefix(_ prefix: StaticString) -> Bool {
        let prefix = ByteView(prefix)
        if !hasEscapes { return raw.hasPrefix(prefix) }
        var decoder = JSONStringDecoder(self)
        var position = 0
        while position < prefix.count {
            guard decoder.next() == prefix[position] else { return false }
            position &+= 1
        }
        return true
    }

    /// Whether a C string can hold it: no U+0000, which would cut it short, and no lone surrogate.
    package var fitsCString: Bool {
        if !hasEscapes { return !raw.contains(0) }
        var decoder = JSONStringDecoder(self)
        while let byte = decoder.next() {
            if byte == 0 { return false }
        }
        return !decoder.sawLoneSurrogate
    }

    /// Gives the text with its escapes resolved to a function that looks for something short in it, such as a UUID or a
    /// time. Nothing is allocated, because anybody may have sent it.
    ///
    /// - Returns: what the function answers; nil for more than 64 bytes that were written with escapes.
    package func withShortText<Result>(_ body: (ByteView) -> Result?) -> Result? {
        if !hasEscapes { return body(raw) }
        var resolved = InlineArray<64, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &resolved) { memory in
            // It may be secret.
            defer { if let start = memory.baseAddress { explicit_bzero(start, memory.count) } }
            var decoder = JSONStringDecoder(self)
            var count = 0
            while let byte = decoder.next() {
                guard count < memory.count else { return nil }
                memory[count] = byte
                count &+= 1
            }
            return body(ByteView(memory.baseAddress?.assumingMemoryBound(to: UInt8.self), count: count))
        }
    }

    /// The text with its escapes resolved.
    package func bytes() -> [UInt8] {
        if !hasEscapes { return raw.bytes() }
        var result: [UInt8] = []
        result.reserveCapacity(raw.count)
        var decoder = JSONStringDecoder(self)
        while let byte = decoder.next() { result.append(byte) }
        return result
    }
}
