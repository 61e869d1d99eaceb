/// The audience of a session (RFC 7519 section 4.1.3): one text, or an array of texts.
enum Audience {
    /// Whether one of the configured audiences is among the session's. Anything that is not text is not an audience.
    ///
    /// - Returns: nil when there is no memory to see that.
    static func matches(_ audience: JSONField, oneOf configured: [[UInt8]]) -> Bool? {
        switch audience {
        case .text(let text):
            return isConfigured(text, configured)
        case .container(let document):
            return arrayMatches(document, configured)
        default:
            return false
        }
    }

    private static func arrayMatches(_ document: ByteView, _ configured: [[UInt8]]) -> Bool? {
        var reader = JSONReader(document)
        do throws(JSONError) {
            guard case .beginArray = try reader.next() else { return false }
            while true {
                switch try reader.next() {
                case .string(let text) where reader.depth == 1:
                    if isConfigured(text, configured) { return true }
                case .end:
                    return false
                default:
                    break
                }
            }
        } catch {
            return error.kind == .noMemory ? nil : false
        }
    }

    private static func isConfigured(_ text: JSONString, _ configured: [[UInt8]]) -> Bool {
        for candidate in configured {
            if candidate.withUnsafeBufferPointer({ text.equals(ByteView($0)) }) { return true }
        }
        return false
    }
}
