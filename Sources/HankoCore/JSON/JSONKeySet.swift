/// The names of all members that a document has shown so far, so that the same name twice in one object is seen.
///
/// The first 32 names, more than Hanko's answers have, take no allocation; a longer document gets one hash table of
/// 16 bytes a slot. Adding a name takes constant time on average.
struct JSONKeySet: ~Copyable {
    private struct Entry {
        var hash: UInt32 = 0
        /// The number of the object in the document, from 1; 0 marks a free slot.
        var object: UInt32 = 0
        var start: UInt32 = 0
        /// The length of the name as written, doubled, plus 1 when it has escapes.
        var lengthAndEscapes: UInt32 = 0
    }

    private static var inlineCapacity: Int { 32 }

    private var inlineEntries = InlineArray<32, Entry>(repeating: Entry())
    private var table: UnsafeMutablePointer<Entry>?
    private var tableCapacity = 0
    private var count = 0
    /// Names that would all land in one slot cannot be prepared without knowing this.
    private let seed = UInt32(truncatingIfNeeded: Random.bits())

    init() {}

    deinit { table?.deallocate() }

    /// Adds the name of a member of an object.
    ///
    /// - Parameters:
    ///   - key: the name.
    ///   - start: where it stands in the document.
    ///   - object: the number of its object, from 1.
    ///   - document: the whole document.
    /// - Returns: false when that object has a member of this name already.
    mutating func insert(_ key: JSONString, at start: Int, object: UInt32, in document: ByteView) -> Bool {
        let entry = Entry(
            hash: hash(of: key), object: object, start: UInt32(truncatingIfNeeded: start),
            lengthAndEscapes: UInt32(truncatingIfNeeded: key.raw.count << 1 | (key.hasEscapes ? 1 : 0)))
        if table == nil {
            var index = 0
            while index < count, index < Self.inlineCapacity {
                if Self.isSame(inlineEntries[index], entry, key, in: document) { return false }
                index &+= 1
            }
            if count < Self.inlineCapacity {
                inlineEntries[count] = entry
                count &+= 1
                return true
            }
            grow()
        } else if count &* 2 >= tableCapacity {
            grow()
        }
        guard let table else { return false }
        var slot = Int(entry.hash) & (tableCapacity &- 1)
        while table[slot].object != 0 {
            if Self.isSame(table[slot], entry, key, in: document) { return false }
            slot = (slot &+ 1) & (tableCapacity &- 1)
        }
        table[slot] = entry
        count &+= 1
        return true
    }

    private mutating func grow() {
        // A power of two, and never more than half full, so that every search ends at a free slot.
        let capacity = max(Self.inlineCapacity &* 4, tableCapacity &* 2)
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        larger.initialize(repeating: Entry(), count: capacity)
        if let table {
            var slot = 0
            while slot < tableCapacity {
                if table[slot].object != 0 { Self.place(table[slot], in: larger, capacity: capacity) }
                slot &+= 1
            }
            table.deallocate()
        } else {
            var index = 0
            while index < count {
                Self.place(inlineEntries[index], in: larger, capacity: capacity)
                index &+= 1
            }
        }
        table = larger
        tableCapacity = capacity
    }

    private static func place(_ entry: Entry, in table: UnsafeMutablePointer<Entry>, capacity: Int) {
        var slot = Int(entry.hash) & (capacity &- 1)
        while table[slot].object != 0 { slot = (slot &+ 1) & (capacity &- 1) }
        table[slot] = entry
    }

    private static func isSame(_ old: Entry, _ new: Entry, _ key: JSONString, in document: ByteView) -> Bool {
        guard old.hash == new.hash, old.object == new.object else { return false }
        let start = Int(old.start)
        let raw = document.slice(from: start, to: start &+ Int(old.lengthAndEscapes >> 1))
        return JSONString(raw: raw, hasEscapes: old.lengthAndEscapes & 1 == 1).equals(key)
    }

    /// FNV-1a over the name with its escapes resolved, with the high bits mixed into the low ones that pick the slot.
    private func hash(of key: JSONString) -> UInt32 {
        var hash: UInt32 = 2_166_136_261 ^ seed
        if key.hasEscapes {
            var decoder = JSONStringDecoder(key)
            while let byte = decoder.next() { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        } else {
            var position = 0
            while position < key.raw.count {
                hash = (hash ^ UInt32(key.raw[position])) &* 16_777_619
                position &+= 1
            }
        }
        return hash ^ hash >> 15
    }
}
