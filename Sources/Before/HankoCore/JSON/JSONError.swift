/// Why a text is not the JSON that the reader accepts. `position` counts bytes from the start of the document.
package struct JSONError: Error {
    package enum Kind {
        /// A byte that RFC 8259 does not allow at this place, the end of the text included.
        case unexpectedByte
        /// A string that is not UTF-8.
        case notUTF8
        /// Two members of one object have the same name.
        case duplicateKey
        /// More than 64 arrays and objects inside each other.
        case tooDeep
        /// A document of 2 GiB or more.
        case tooLarge
        /// This machine has no memory for the names of its members: nothing is wrong with the document.
        case noMemory
    }

    package let kind: Kind
    package let position: Int
}
