import Glibc

/// A file that is there as long as this is.
final class TemporaryFile {
    let path: String

    /// - Returns: nil when it cannot be written.
    init?(_ content: String) {
        var template = Array("/tmp/hanko-tests-XXXXXX\0".utf8CString.dropLast())
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = Array(content.utf8)
        let written = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count else {
            unlink(path)
            return nil
        }
    }

    deinit { unlink(path) }
}
