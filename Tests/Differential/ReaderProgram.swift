/// Reads JSON documents from standard input with the library's reader and says what it found in them.
///
/// Each document comes as its length, four bytes with the lowest first, and its bytes. Each reply has the same form: one
/// byte `R` for a refused document; for an accepted one `A` and everything in it, in the form that `Reading` writes and
/// `test_json_differential.py` writes as well. Comparing what was read, and not only that it was, covers the escapes too.
///
/// It is built as the release library is, as Embedded Swift: what ships is what is compared.
@main
struct ReaderProgram {
    static func main() {
        while let document = Frames.next() {
            var reading = Reading()
            Frames.reply(document.withView { reading.read($0) } ? reading.bytes : [0x52])
        }
    }
}
