import CSystem

/// The descriptors that the library has open in this process, so that a forked child can close its copies of them.
///
/// A child closes them with close(2) and nothing else: what TLS would send to say goodbye would end its parent's
/// connection, and a read would take a wake-up from its parent.
///
/// libcurl closes a socket that never came to a connection without telling us, and its number may then be somebody
/// else's. Each is therefore known by its inode as well.
///
/// None has the number of a standard stream, also where the host has closed those: log lines are written there.
final class DescriptorRegistry: @unchecked Sendable {
    private struct Entry {
        let descriptor: Int32
        let device: UInt
        let inode: UInt
        /// A thread sleeps until this is written to.
        let isWakeUp: Bool
    }

    private let lock = Lock()
    private var entries: [Entry] = []

    init() {}

    /// Opens a socket, as socket(2) does.
    ///
    /// - Returns: -1 when that failed.
    func openSocket(family: Int32, type: Int32, protocol: Int32) -> Int32 {
        open { hanko_open_socket(family, type, `protocol`) }
    }

    /// Opens a counter that makes its descriptor readable, as eventfd(2) does.
    ///
    /// - Parameter isWakeUp: the process' exit writes to it.
    /// - Returns: -1 when that failed.
    func openEvent(isWakeUp: Bool) -> Int32 { open(isWakeUp: isWakeUp) { hanko_open_event() } }

    /// Opens a poller, as epoll_create1(2) does.
    ///
    /// - Returns: -1 when that failed.
    func openPoller() -> Int32 { open { hanko_open_poller() } }

    /// Under the lock, so that no fork comes between opening and noting it.
    private func open(isWakeUp: Bool = false, _ body: () -> Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        let descriptor = body()
        guard descriptor >= 0 else { return descriptor }
        forget(descriptor)
        var status = stat()
        if fstat(descriptor, &status) == 0 {
            entries.append(
                Entry(
                    descriptor: descriptor, device: UInt(status.st_dev), inode: UInt(status.st_ino),
                    isWakeUp: isWakeUp))
        }
        return descriptor
    }

    /// Closes a descriptor, as close(2) does.
    @discardableResult
    func close(_ descriptor: Int32) -> Int32 {
        lock.lock()
        defer { lock.unlock() }
        forget(descriptor)
        return CSystem.close(descriptor)
    }

    @discardableResult
    private func forget(_ descriptor: Int32) -> Bool {
        guard let index = entries.firstIndex(where: { $0.descriptor == descriptor }) else { return false }
        // The order does not matter.
        let last = entries.removeLast()
        if index < entries.count { entries[index] = last }
        return true
    }

    private static func isStillOurs(_ entry: Entry) -> Bool {
        var status = stat()
        return fstat(entry.descriptor, &status) == 0 && UInt(status.st_dev) == entry.device
            && UInt(status.st_ino) == entry.inode
    }

    /// Ends the conversation on all of them, so that who waits for one is woken.
    func shutDownAll() {
        lock.lock()
        for entry in entries where Self.isStillOurs(entry) {
            if entry.isWakeUp {
                hanko_signal_event(entry.descriptor)
            } else {
                shutdown(entry.descriptor, hanko_shutdown_both())
            }
        }
        lock.unlock()
    }

    // MARK: Around a fork

    /// Before a fork: what the child sees must be complete.
    func hold() { lock.lock() }

    /// After a fork, in the parent.
    func release() { lock.unlock() }

    /// After a fork, in the child.
    func closeAllInChild() {
        for entry in entries where Self.isStillOurs(entry) { CSystem.close(entry.descriptor) }
        entries = []
        lock.unlock()
    }

    /// Closes one in a child that may have been forked without the handlers, unless they have closed it already.
    func closeInChild(_ descriptor: Int32) {
        // In such a child nobody may be left to release the lock; then it stays open.
        guard lock.tryLock() else { return }
        defer { lock.unlock() }
        if forget(descriptor) { CSystem.close(descriptor) }
    }
}
