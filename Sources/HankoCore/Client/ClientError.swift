/// Why there can be no client: a setting, or the libcurl of this process. The text says what to do.
package struct ClientError: Error {
    package let problem: String
}
