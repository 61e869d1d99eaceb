/// What is wrong with one setting, and what is allowed. The text names no value: it might be secret.
package struct ConfigurationError: Error {
    /// Continues a sentence that begins with the setting's name: "must be …".
    package let text: StaticString
    /// Nothing is wrong with the setting; there was no memory to read it.
    package let isShortage: Bool

    package init(_ text: StaticString) {
        self.text = text
        isShortage = false
    }

    private init(shortage text: StaticString) {
        self.text = text
        isShortage = true
    }

    static var shortage: ConfigurationError { ConfigurationError(shortage: "could not be read: no memory") }
}
