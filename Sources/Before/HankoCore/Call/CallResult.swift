/// The result of one call, for the C layer.
package struct CallResult {
    package let status: Status
    /// What happened and what to do about it, for logs; empty after success.
    package let text: String
    /// Only with `.ok`, and only where it was asked for.
    package let session: Session?

    package init(status: Status, text: String, session: Session? = nil) {
        self.status = status
        self.text = text
        self.session = session
    }

    /// What a reason means, for a call that asked nobody.
    package init(_ reason: VerdictReason) {
        self.init(status: reason.status, text: reason.text)
    }

    /// What it means for a call that there is no client.
    package init(_ error: ClientError) {
        self.init(status: error.status, text: error.problem)
    }

    package static var ok: CallResult { CallResult(status: .ok, text: "") }

    /// The caller passed something that the function cannot take.
    package static func invalidArgument(_ text: StaticString) -> CallResult {
        CallResult(status: .invalidArgument, text: "\(text)")
    }
}
