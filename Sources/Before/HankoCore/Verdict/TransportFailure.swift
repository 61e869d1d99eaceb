/// Why there was no complete answer.
package enum TransportFailure: Error, Equatable {
    /// The deadline of the call passed.
    case deadline
    /// The host's name could not be resolved.
    case resolve
    case connect
    /// Connecting took longer than its own timeout, which is shorter than the deadline.
    case connectTimeout
    case proxy
    /// The server's certificate was not accepted.
    case certificate
    /// Every other failure of TLS.
    case tls
    /// The file with the authority's certificates could not be used.
    case certificateFile
    /// The connection broke, or the server closed it, before or within the answer.
    case connectionLost
    /// The server closed the connection without a byte of an answer.
    case emptyReply
    /// The body was shorter than declared.
    case bodyCutShort
    /// What came was not HTTP.
    case notHTTP
    /// Bytes that nobody asked for waited on the kept connection; nothing was sent on it.
    case unaskedBytes
    /// Memory, descriptors or another resource of this machine ran out.
    case localShortage
    /// The host's process exits; libcurl may not be used any more.
    case processExits
    /// The circuit breaker is open.
    case breakerOpen
    /// As many callers as allowed were waiting for a connection already.
    case tooManyWaiting
    /// A completion queue holds as much as it may.
    case queueFull
    /// libcurl lacks something or refused an option; the number is its CURLcode.
    case unusableLibrary(Int32)
    /// Everything else; the number is libcurl's CURLcode.
    case other(Int32)

    package var status: Status {
        switch self {
        case .deadline: .timeout
        case .processExits: .cancelled
        case .certificateFile, .unusableLibrary: .misconfigured
        case .notHTTP: .protocolError
        default: .unavailable
        }
    }

    package var text: String {
        switch self {
        case .deadline:
            "the deadline passed before Hanko had answered; look at Hanko's health and the network, or raise HANKO_TIMEOUT_MS"
        case .resolve:
            "the host name of the API URL could not be resolved; check HANKO_API_URL and the name service"
        case .connect:
            "no connection to Hanko could be made; check that it runs, the port in HANKO_API_URL, and firewalls"
        case .connectTimeout:
            "no connection to Hanko was made within the connect timeout; check the network, or raise HANKO_CONNECT_TIMEOUT_MS"
        case .proxy:
            "the proxy of the environment refused or failed; check https_proxy, ALL_PROXY and NO_PROXY"
        case .certificate:
            "the certificate of the server was not accepted (host name, authority or dates); check HANKO_API_URL, or set HANKO_CA_FILE for a private authority"
        case .tls:
            "TLS with the server failed; TLS 1.2 or newer is required, and the port must speak TLS"
        case .certificateFile:
            "the file in HANKO_CA_FILE cannot be used; it must be readable and hold certificates in PEM form"
        case .connectionLost:
            "the connection broke before the answer was complete; look at Hanko and what stands in front of it"
        case .emptyReply:
            "the server closed the connection without an answer; look at Hanko and what stands in front of it"
        case .bodyCutShort:
            "the answer was shorter than it declared; look at what stands in front of Hanko"
        case .notHTTP:
            "what answered does not speak proper HTTP/1.1; check the host and the port in HANKO_API_URL"
        case .unaskedBytes:
            "bytes that nobody asked for waited on a kept connection; it was given up"
        case .localShortage:
            "this machine ran out of memory, descriptors or another resource; look at the limits of the process"
        case .processExits:
            "the process exits"
        case .breakerOpen:
            "Hanko failed often in a row, so it is given a pause and not asked; look at its health"
        case .tooManyWaiting:
            "too many callers wait for a connection already; raise HANKO_MAX_CONNECTIONS or look at why Hanko is slow"
        case .queueFull:
            "the completion queue is full (100000 submissions or 64 MiB of tokens); drain it, or look at why Hanko is slow"
        case .unusableLibrary(let code):
            "libcurl cannot do what is needed (its code \(code)); install a complete libcurl 7.87 or newer"
        case .other(let code):
            "the request failed in libcurl (its code \(code))"
        }
    }
}
