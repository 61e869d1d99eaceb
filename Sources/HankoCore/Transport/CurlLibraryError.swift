/// Why the libcurl of this process cannot be used.
struct CurlLibraryError: Error {
    let problem: String
}
