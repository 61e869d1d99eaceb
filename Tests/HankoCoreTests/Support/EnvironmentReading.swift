import HankoCore

/// What an environment alone makes of the defaults, as `hanko_validate` reads it.
struct EnvironmentReading {
    private(set) var configuration = Configuration()
    /// What is wrong with the variables, or with the whole that they make.
    let problem: String?

    init(_ environment: Environment) {
        do {
            try configuration.load(environment)
            problem = configuration.problem
        } catch {
            problem = error.problem
        }
    }
}
