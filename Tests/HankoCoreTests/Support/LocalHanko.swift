import CSystem
import Glibc

/// A Hanko on this machine: yes to tokens that begin with "yes", no to all others, and a key set, over kept connections.
/// As Hanko does, it echoes `X-Request-Id`.
final class LocalHanko: @unchecked Sendable {
    let url: String
    private let listener: Int32
    private var crew: Crew?

    /// - Parameter connections: how many it serves at a time: more than the client keeps, because calls that are withdrawn
    ///   leave theirs, and blocking calls have others than the queue.
    /// - Returns: nil when there is no port to be had.
    static func start(connections: Int) -> LocalHanko? {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, __CONST_SOCKADDR_ARG(__sockaddr__: $0), length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, __SOCKADDR_ARG(__sockaddr__: $0), &length) == 0
            }
        }
        guard isBound else {
            close(listener)
            return nil
        }
        let hanko = LocalHanko(listener, port: UInt16(bigEndian: address.sin_port))
        hanko.crew = Crew.start(connections) { _ in hanko.serve() }
        return hanko
    }

    private init(_ listener: Int32, port: UInt16) {
        self.listener = listener
        url = "http://127.0.0.1:\(port)"
    }

    /// Ends it, after all clients have closed their connections.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        crew?.wait()
        close(listener)
    }

    private func serve() {
        while true {
            let connection = accept(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil)
            guard connection >= 0 else { return }
            answer(on: connection)
            close(connection)
        }
    }

    private func answer(on connection: Int32) {
        var received = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // The end of the JSON, or of a head without a body.
            while let end = received.range(ofText: received.hasPrefix("GET ") ? "\r\n\r\n" : "\"}") {
                let request = received[..<end]
                let isYes = request.contains("\"session_token\":\"yes")
                let body = request.hasPrefix("GET ") ? "{\"keys\":[]}" : "{\"is_valid\":\(isYes)}"
                let id = request.requestID
                received = String(received[end...].drop { $0.isNewline || $0 == "\"" || $0 == "}" })
                let head = "HTTP/1.1 200 OK\r\nX-Request-Id: \(id)\r\nContent-Length: \(body.utf8.count)"
                let answer = "\(head)\r\n\r\n\(body)"
                guard send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else { return }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            received += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}

extension Substring {
    /// The value of `X-Request-Id`. Hanko makes one for a request without; what it is matters to no test.
    fileprivate var requestID: Substring {
        let name = "x-request-id:"
        let field = split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix(name) }
        return field?.dropFirst(name.count).drop { $0 == " " } ?? "made-here"
    }
}

extension String {
    fileprivate func range(ofText text: String) -> Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
