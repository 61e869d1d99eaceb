import HankoCore

/// The reader against a second one, and against properties that hold for every document.
@_cdecl("LLVMFuzzerTestOneInput")
public func readJSON(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let document = input(data, size)
    let expected = JSONModel.parse(document)
    let value = read(document, looksAtTexts: true)
    require(value == expected, "the library and the model read something else")
    require(acceptsSkipping(document) == (value != nil), "skipping judges otherwise than reading")
    guard let value else {
        // White space around it cannot make a refused document good.
        require(read(Array("\n ".utf8) + document + Array("\t".utf8)) == nil, "white space makes it valid")
        return 0
    }

    require(read(Array(" \t\r\n".utf8) + document + Array("\n\r\t ".utf8)) == value, "white space changes it")
    let surplus = Array("\0]}\",x".utf8)
    require(read(document + [surplus[size % surplus.count]]) == nil, "something follows the value")
    if !value.isNumber, let end = document.lastIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
        require(read(Array(document[..<end])) == nil, "it is valid without its end")
    }

    // Inside of another container it is as good as before, as long as that is not one too many.
    let fits = value.depth < JSONReader.maximumDepth
    let inArray = read(Array("[".utf8) + document + Array("]".utf8))
    require(inArray == (fits ? .array([value]) : nil), "an array around it")
    let twice = Array("{\"a\":".utf8) + document + Array(",\"b\":".utf8) + document + Array("}".utf8)
    require((read(twice) != nil) == fits, "an object around it")
    let again = Array("{\"a\":".utf8) + document + Array(",\"\\u0061\":".utf8) + document + Array("}".utf8)
    require(read(again) == nil, "the same name twice")
    return 0
}

/// Reads a document from a block of exactly its size; nil when it is refused.
private func read(_ document: [UInt8], looksAtTexts: Bool = false) -> JSONValue? {
    withExactCopy(document) { whole in
        var tokens = TokenTree(whole, looksAtTexts: looksAtTexts)
        do throws(JSONError) {
            return try tokens.read()
        } catch {
            require(error.position >= 0 && error.position <= whole.count, "the error lies outside of the document")
            return nil
        }
    }
}

/// Whether a document is accepted when its arrays and objects are skipped from some depth on.
private func acceptsSkipping(_ document: [UInt8]) -> Bool {
    withExactCopy(document) { whole in
        var reader = JSONReader(whole)
        let skipDepth = 1 + document.count % 3
        do {
            while true {
                switch try reader.next() {
                case .beginArray, .beginObject:
                    guard reader.depth >= skipDepth else { continue }
                    let container = try reader.skipOpenContainer()
                    require(container.lies(in: whole), "the skipped part lies outside of the document")
                    require(reader.depth == skipDepth - 1, "the depth after skipping")
                    require(JSONModel.parse(container.bytes()) != nil, "the skipped part is no document of its own")
                case .end: return true
                default: break
                }
            }
        } catch {
            return false
        }
    }
}
