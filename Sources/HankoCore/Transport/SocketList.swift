import CSystem

/// The sockets that one handle has open: one, or a few for a moment while it tries several addresses.
struct SocketList {
    private static var capacity: Int { 8 }

    private var sockets = InlineArray<8, Int32>(repeating: -1)
    private var count = 0
    /// There were more sockets than the list holds, so it does not know all of them.
    private(set) var isIncomplete = false

    mutating func add(_ socket: Int32) {
        guard count < Self.capacity else {
            isIncomplete = true
            return
        }
        sockets[count] = socket
        count &+= 1
    }

    mutating func remove(_ socket: Int32) {
        var index = 0
        while index < count, index < Self.capacity {
            if sockets[index] == socket {
                count &-= 1
                sockets[index] = sockets[count]
                return
            }
            index &+= 1
        }
    }

    /// Whether a socket has something to say, the end of the connection included, or cannot be asked.
    func haveSomethingToSay() -> Bool {
        if isIncomplete || count == 0 { return true }
        var index = 0
        while index < count, index < Self.capacity {
            var byte: UInt8 = 0
            let received = recv(sockets[index], &byte, 1, hanko_peek_flags())
            if received >= 0 { return true }
            let error = hanko_errno()
            if error != EAGAIN && error != EWOULDBLOCK && error != EINTR { return true }
            index &+= 1
        }
        return false
    }
}
