/// The result of one call, for the C layer.
package struct CallResult {
    package let status: Status
    /// What happened and what to do about it, for logs; empty after success.
    package let text: String

    package init(status: Status, text: String) {
        self.status = status
        self.text = text
    }

    package static var ok: CallResult { CallResult(status: .ok, text: "") }
}
