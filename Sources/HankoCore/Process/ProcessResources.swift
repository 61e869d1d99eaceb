/// What all clients of a process share.
struct ProcessResources {
    let library: CurlLibrary
    let descriptors: DescriptorRegistry
    let gate: ExitGate
    /// All clients write to one standard error.
    let logLimiter: Locked<LogLimiter>
}
