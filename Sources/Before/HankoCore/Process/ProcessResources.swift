/// What all clients of a process share.
struct ProcessResources {
    let library: CurlLibrary
    let descriptors: DescriptorRegistry
    let gate: ExitGate
    let logLimiter: SharedLogLimiter
}
