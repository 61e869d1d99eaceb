/// What happens on a connection, as the fuzzer's files hold it. Each event is a letter, and what arrives stands behind
/// it up to the next `|`; what is no letter of these is passed over.
///
///     .                 nothing is there
///     <HTTP/1.1 200 …|  bytes have arrived
///     e                 the other side has closed the connection
///     x                 receiving or sending failed
///     m                 there is no memory
///     s                 all of what is left of the request is sent
///     1 … 9             so many bytes of it are sent
///     n                 there is no room for more
///     w                 the time to wait is over
///     r                 what was waited for may have come
struct ConnectionInput {
    enum Event: Equatable {
        case nothing
        case bytes([UInt8])
        case end
        case failure
        case noMemory
        case sentAll
        case sent(Int)
        case sentNothing
        case late
        case ready
    }

    private var rest: ArraySlice<UInt8>
    /// Bytes that have arrived and are received one at a time.
    private var pending: ArraySlice<UInt8> = []
    private let receivesSingleBytes: Bool

    init(_ input: [UInt8], receivesSingleBytes: Bool = false) {
        rest = input[...]
        self.receivesSingleBytes = receivesSingleBytes
    }

    /// The next event; nil behind the last.
    mutating func next() -> Event? {
        if let byte = pending.popFirst() { return .bytes([byte]) }
        while let letter = rest.popFirst() {
            switch letter {
            case UInt8(ascii: "."): return .nothing
            case UInt8(ascii: "e"): return .end
            case UInt8(ascii: "x"): return .failure
            case UInt8(ascii: "m"): return .noMemory
            case UInt8(ascii: "s"): return .sentAll
            case UInt8(ascii: "1")...UInt8(ascii: "9"): return .sent(Int(letter) - 0x30)
            case UInt8(ascii: "n"): return .sentNothing
            case UInt8(ascii: "w"): return .late
            case UInt8(ascii: "r"): return .ready
            case UInt8(ascii: "<"):
                let bytes = rest.prefix { $0 != UInt8(ascii: "|") }
                rest = rest.dropFirst(bytes.count + 1)
                guard !bytes.isEmpty else { continue }
                guard receivesSingleBytes else { return .bytes(Array(bytes)) }
                pending = bytes.dropFirst()
                return .bytes([bytes[bytes.startIndex]])
            default: continue
            }
        }
        return nil
    }
}
