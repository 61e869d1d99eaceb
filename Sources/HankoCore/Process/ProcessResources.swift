/// What all clients of a process share.
struct ProcessResources {
    let library: CurlLibrary
    let sockets: SocketRegistry
    let gate: ExitGate
    let logLimiter: SharedLogLimiter
}
