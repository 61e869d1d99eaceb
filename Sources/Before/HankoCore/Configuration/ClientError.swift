/// Why there can be no client: a setting, the libcurl of this process, or a shortage. The text says what to do.
package struct ClientError: Error {
    package let problem: String
    /// Not lasting: the next try may go well.
    package let isShortage: Bool

    package init(problem: String, isShortage: Bool = false) {
        self.problem = problem
        self.isShortage = isShortage
    }

    package var status: Status { isShortage ? .unavailable : .misconfigured }

    package static var memoryShortage: ClientError {
        ClientError(problem: "this process ran out of memory; look at its limits", isShortage: true)
    }

    static var resourceShortage: ClientError {
        ClientError(
            problem: "this process ran out of memory, descriptors or threads; look at its limits", isShortage: true)
    }
}
