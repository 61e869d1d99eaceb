import CSystem

/// The sockets that the library has open in this process, so that a forked child can close its copies of them.
///
/// A child closes them with close(2) and nothing else: what TLS would send to say goodbye would end its parent's
/// connection.
final class SocketRegistry: @unchecked Sendable {
    private let lock = Lock()
    private var sockets: [Int32] = []

    init() {}

    /// Opens a socket, as socket(2) does. Under the lock, so that no fork comes between opening and noting it.
    ///
    /// - Returns: -1 when that failed.
    func open(family: Int32, type: Int32, protocol: Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        let socket = hanko_open_socket(family, type, `protocol`)
        if socket >= 0 { sockets.append(socket) }
        return socket
    }

    /// Closes a socket, as close(2) does.
    func close(_ socket: Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        if let index = sockets.firstIndex(of: socket) {
            // The order does not matter.
            let last = sockets.removeLast()
            if index < sockets.count { sockets[index] = last }
        }
        return CSystem.close(socket)
    }

    // MARK: Around a fork

    /// Before a fork: what the child sees must be complete.
    func hold() { lock.lock() }

    /// After a fork, in the parent.
    func release() { lock.unlock() }

    /// After a fork, in the child.
    func closeAllInChild() {
        for socket in sockets { CSystem.close(socket) }
        lock.unlock()
    }
}
