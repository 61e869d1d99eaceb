/// What is wrong with one setting, and what is allowed. The text names no value: it might be secret.
package struct ConfigurationError: Error {
    /// Continues a sentence that begins with the setting's name: "must be …".
    package let text: StaticString

    package init(_ text: StaticString) { self.text = text }
}
