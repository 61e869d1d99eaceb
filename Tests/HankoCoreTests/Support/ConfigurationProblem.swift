import HankoCore

extension Configuration {
    /// What is wrong with the whole, as a sentence; nil when a client can be made of it.
    var problem: String? {
        do {
            _ = try checkedURL()
            return nil
        } catch {
            return error.problem
        }
    }
}
