import CSystem

/// The sockets that the library has open in this process, so that a forked child can close its copies of them.
///
/// A child closes them with close(2) and nothing else: what TLS would send to say goodbye would end its parent's
/// connection.
///
/// libcurl closes a socket that never came to a connection without telling us, and its number may then be somebody
/// else's. Each is therefore known by its inode as well.
final class SocketRegistry: @unchecked Sendable {
    private struct Entry {
        let socket: Int32
        let device: UInt
        let inode: UInt
    }

    private let lock = Lock()
    private var entries: [Entry] = []

    init() {}

    /// Opens a socket, as socket(2) does. Under the lock, so that no fork comes between opening and noting it.
    ///
    /// - Returns: -1 when that failed.
    func open(family: Int32, type: Int32, protocol: Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        let socket = hanko_open_socket(family, type, `protocol`)
        guard socket >= 0 else { return socket }
        forget(socket)
        var status = stat()
        if fstat(socket, &status) == 0 {
            entries.append(Entry(socket: socket, device: UInt(status.st_dev), inode: UInt(status.st_ino)))
        }
        return socket
    }

    /// Closes a socket, as close(2) does.
    func close(_ socket: Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        forget(socket)
        return CSystem.close(socket)
    }

    private func forget(_ socket: Int32) {
        guard let index = entries.firstIndex(where: { $0.socket == socket }) else { return }
        // The order does not matter.
        let last = entries.removeLast()
        if index < entries.count { entries[index] = last }
    }

    private static func isStillOurs(_ entry: Entry) -> Bool {
        var status = stat()
        return fstat(entry.socket, &status) == 0 && UInt(status.st_dev) == entry.device
            && UInt(status.st_ino) == entry.inode
    }

    /// Ends the conversation on all of them, so that who waits for one is woken.
    func shutDownAll() {
        lock.lock()
        for entry in entries where Self.isStillOurs(entry) { shutdown(entry.socket, hanko_shutdown_both()) }
        lock.unlock()
    }

    // MARK: Around a fork

    /// Before a fork: what the child sees must be complete.
    func hold() { lock.lock() }

    /// After a fork, in the parent.
    func release() { lock.unlock() }

    /// After a fork, in the child.
    func closeAllInChild() {
        for entry in entries where Self.isStillOurs(entry) { CSystem.close(entry.socket) }
        entries = []
        lock.unlock()
    }
}
