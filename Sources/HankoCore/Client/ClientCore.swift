/// Everything of a client that changes: connections, counters, what was learnt about the server's health. A forked child
/// leaves its parent's behind and starts with a new one.
final class ClientCore: @unchecked Sendable {
    /// The process it belongs to.
    let generation: UInt
    let configuration: Configuration
    let pool: HandlePool
    let breaker = SharedCircuitBreaker()
    let confirmations = Confirmations()
    let statistics = Statistics()
    let log: Log

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources, generation: UInt) {
        self.generation = generation
        self.configuration = configuration
        pool = HandlePool(configuration, url: url, process: process)
        log = Log(configuration.logTarget, threshold: configuration.logLevel, limiter: process.logLimiter)
    }
}
