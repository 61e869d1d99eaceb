/// What all connections of one client have in common, in one process.
final class ConnectionSettings: @unchecked Sendable {
    let configuration: Configuration
    let url: APIURL
    let process: ProcessResources

    init(_ configuration: Configuration, url: APIURL, process: ProcessResources) {
        self.configuration = configuration
        self.url = url
        self.process = process
    }
}
