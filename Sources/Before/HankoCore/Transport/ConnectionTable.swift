import CSystem

/// The connections that one libcurl handle, or all handles of one event loop, have open. Used by one thread at a time;
/// libcurl holds its address, so it outlives the handles.
///
/// A connection on which a request went out is in it until it is closed, and may be used again only after an exchange
/// that ended cleanly. libcurl does not know that rule: one that is not in here is refused, whatever libcurl thinks of it.
final class ConnectionTable {
    private struct Connection {
        let socket: Int32
        let localPort: Int
        /// Whose request went out on it last, until that exchange was found to have ended cleanly.
        var user: UnsafePointer<Transfer>?
    }

    private let descriptors: DescriptorRegistry
    /// Where the sockets are watched; nil where the thread blocks on each.
    private let poller: SocketPoller?
    private var connections: [Connection] = []

    init(_ descriptors: DescriptorRegistry, poller: SocketPoller? = nil) {
        self.descriptors = descriptors
        self.poller = poller
    }

    /// The address that libcurl gets.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func table(at context: UnsafeMutableRawPointer) -> ConnectionTable {
        Unmanaged<ConnectionTable>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Sockets

    /// - Returns: -1 when there is no socket to be had.
    func open(family: Int32, type: Int32, protocol: Int32) -> Int32 {
        let socket = descriptors.openSocket(family: family, type: type, protocol: `protocol`)
        if socket >= 0 {
            remove(socket)
            poller?.forget(socket)
        }
        return socket
    }

    func close(_ socket: Int32) -> Int32 {
        remove(socket)
        poller?.remove(socket)
        return descriptors.close(socket)
    }

    // MARK: Connections

    /// A connection is there, and a first request is about to be sent on it.
    func add(_ socket: Int32, localPort: Int, for user: UnsafePointer<Transfer>) {
        remove(socket)
        connections.append(Connection(socket: socket, localPort: localPort, user: user))
    }

    /// Lends the connection on a local port, which is all that libcurl tells before it sends a request.
    ///
    /// Where many exchanges run, libcurl hands a connection on before anybody has looked at how the exchange on it ended,
    /// so that is asked here as well.
    ///
    /// - Returns: nil when it may not be used: there is none, or two that cannot be told apart, the exchange before did
    ///   not end cleanly, or it has something to say, its end included. A surplus answer, for example, would be taken for
    ///   the answer to the next request.
    func lend(localPort: Int, to user: UnsafePointer<Transfer>) -> Int32? {
        guard let found = connections.firstIndex(where: { $0.localPort == localPort }),
            connections.lastIndex(where: { $0.localPort == localPort }) == found
        else { return nil }
        if let previous = connections[found].user, !previous.pointee.leavesConnectionClean { return nil }
        let socket = connections[found].socket
        guard Self.isSilent(socket) else { return nil }
        connections[found].user = user
        poller?.expectReuse(socket)
        return socket
    }

    /// An exchange ended so that its connection may serve another one.
    ///
    /// - Returns: false when it was closed meanwhile.
    func giveBack(_ socket: Int32, from user: UnsafePointer<Transfer>) -> Bool {
        guard let index = connections.firstIndex(where: { $0.socket == socket }) else { return false }
        if connections[index].user == user {
            connections[index].user = nil
            poller?.expectReuse(socket)
        }
        return true
    }

    /// An exchange ended so that its connection is of no use any more. If it is still open, libcurl will see that and
    /// close it.
    func discard(_ socket: Int32, from user: UnsafePointer<Transfer>) {
        guard connections.contains(where: { $0.socket == socket && $0.user == user }) else { return }
        remove(socket)
        shutdown(socket, hanko_shutdown_both())
    }

    /// An exchange goes: nothing may lead to it any more.
    func forget(_ user: UnsafePointer<Transfer>) { connections.removeAll { $0.user == user } }

    private func remove(_ socket: Int32) {
        guard let index = connections.firstIndex(where: { $0.socket == socket }) else { return }
        // The order does not matter.
        let last = connections.removeLast()
        if index < connections.count { connections[index] = last }
    }

    private static func isSilent(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        guard recv(socket, &byte, 1, hanko_peek_flags()) < 0 else { return false }
        let error = hanko_errno()
        return error == EAGAIN || error == EWOULDBLOCK || error == EINTR
    }
}
