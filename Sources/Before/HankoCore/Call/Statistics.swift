import Synchronization

/// What one client has done, counted without a lock.
package final class Statistics: @unchecked Sendable {
    package static var resultCount: Int { 16 }

    /// Results by status, and behind them the other counters.
    private let counters: UnsafeMutablePointer<Atomic<UInt64>>

    private enum Counter: Int {
        case requests = 16
        case retries
        case connectionsOpened
        case breakerOpened
        case inFlight
        case hiddenKeySet
    }

    private static var capacity: Int { Counter.hiddenKeySet.rawValue &+ 1 }

    package init() {
        counters = .allocate(capacity: Self.capacity)
        var index = 0
        while index < Self.capacity {
            (counters + index).initialize(to: Atomic(0))
            index &+= 1
        }
    }

    deinit {
        counters.deinitialize(count: Self.capacity)
        counters.deallocate()
    }

    func validationBegan() { add(1, to: .inFlight) }

    func validationEnded(_ status: Status) {
        add(.max, to: .inFlight)  // minus one
        let index = Int(status.rawValue)
        if index >= 0, index < Self.resultCount { counters[index].wrappingAdd(1, ordering: .relaxed) }
    }

    func sentRequests(_ count: UInt64) { add(count, to: .requests) }
    func retried() { add(1, to: .retries) }
    func openedConnections(_ count: UInt64) { add(count, to: .connectionsOpened) }
    func breakerOpened() { add(1, to: .breakerOpened) }

    /// Something answered for Hanko with this HTTP status, so that no rejection can be confirmed.
    func keySetIsHidden(_ code: Int) {
        counters[Counter.hiddenKeySet.rawValue].store(UInt64(clamping: code), ordering: .relaxed)
    }

    package func results(at index: Int) -> UInt64 {
        index >= 0 && index < Self.resultCount ? counters[index].load(ordering: .relaxed) : 0
    }

    package var requests: UInt64 { value(of: .requests) }
    package var retries: UInt64 { value(of: .retries) }
    package var connectionsOpened: UInt64 { value(of: .connectionsOpened) }
    package var breakerOpenedCount: UInt64 { value(of: .breakerOpened) }
    package var inFlight: UInt64 { value(of: .inFlight) }
    package var hiddenKeySet: UInt64 { value(of: .hiddenKeySet) }

    private func add(_ amount: UInt64, to counter: Counter) {
        counters[counter.rawValue].wrappingAdd(amount, ordering: .relaxed)
    }

    private func value(of counter: Counter) -> UInt64 { counters[counter.rawValue].load(ordering: .relaxed) }
}
