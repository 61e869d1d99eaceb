/// Why nobody is asked about what was given for a token.
package enum TokenRefusal: Error {
    /// Nothing was given.
    case empty
    /// Nothing but white space.
    case blank
    case tooLong
    case holdsNUL
    case notUTF8
    /// It has the shape of a JWS, but is not written as Hanko writes one.
    case notCanonical
    /// Nothing is wrong with it; there was no memory to look at it.
    case noMemory
}
