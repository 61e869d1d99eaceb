import CSystem

/// The names of all members that a document has shown so far, so that the same name twice in one object is seen.
///
/// The first 32 names, more than Hanko's answers have, take no allocation and no hash; a longer document gets one hash
/// table of 16 bytes a slot. Adding a name takes constant time on average.
struct JSONKeySet: ~Copyable {
    private struct Entry {
        /// In the table the hash of the name; among the first names their `mark`. Equal names have equal ones.
        var hash: UInt32 = 0
        /// The number of the object in the document, from 1; 0 marks a free slot.
        var object: UInt32 = 0
        var start: UInt32 = 0
        /// The length of the name as written, doubled, plus 1 when it has escapes.
        var lengthAndEscapes: UInt32 = 0

        init() {}

        @inline(__always)
        init(_ key: JSONString, at start: Int, object: UInt32, hash: UInt32) {
            self.hash = hash
            self.object = object
            self.start = UInt32(truncatingIfNeeded: start)
            lengthAndEscapes = UInt32(truncatingIfNeeded: key.raw.count << 1 | (key.hasEscapes ? 1 : 0))
        }

        func key(in document: ByteView) -> JSONString {
            let first = Int(start)
            return JSONString(
                raw: document.slice(from: first, to: first &+ Int(lengthAndEscapes >> 1)),
                hasEscapes: lengthAndEscapes & 1 == 1)
        }
    }

    private static var inlineCapacity: Int { 32 }

    private var inlineEntries = InlineArray<32, Entry>(repeating: Entry())
    /// A bit for each mark that the first names had: a name whose bit is not set is new, without a look at the others.
    private var seenMarks: UInt64 = 0
    private var table: UnsafeMutablePointer<Entry>?
    private var tableCapacity = 0
    private var count = 0
    /// Names that would all land in one slot cannot be prepared without knowing this. Set when there is a table.
    private var seed: UInt32 = 0
    /// There was no memory for a name.
    private(set) var lacksMemory = false

    init() {}

    deinit { free(table) }

    /// Adds the name of a member of an object.
    ///
    /// - Parameters:
    ///   - key: the name.
    ///   - start: where it stands in the document.
    ///   - object: the number of its object, from 1.
    ///   - document: the whole document.
    /// - Returns: false when that object has a member of this name already, or when there is no memory.
    @inline(__always)
    mutating func insert(_ key: JSONString, at start: Int, object: UInt32, in document: ByteView) -> Bool {
        let mark = Self.mark(of: key, object: object)
        let bit = UInt64(1) << UInt64(mark & 63)
        guard count < Self.inlineCapacity, seenMarks & bit == 0 else {
            return insertSlowly(key, at: start, object: object, in: document)
        }
        seenMarks |= bit
        inlineEntries[count] = Entry(key, at: start, object: object, hash: mark)
        count &+= 1
        return true
    }

    /// Adds a name that may be there already, or for which there is no room among the first.
    @inline(never)
    private mutating func insertSlowly(
        _ key: JSONString, at start: Int, object: UInt32, in document: ByteView
    ) -> Bool {
        var entry = Entry(key, at: start, object: object, hash: Self.mark(of: key, object: object))
        if table == nil {
            if isAmongFirst(entry, key, in: document) { return false }
            if count < Self.inlineCapacity {
                inlineEntries[count] = entry
                count &+= 1
                return true
            }
        }
        return insertIntoTable(&entry, key, in: document)
    }

    // MARK: The first names

    /// What is quickly said of a name: its length and its first and last bytes, with its escapes resolved.
    @inline(__always)
    private static func mark(of key: JSONString, object: UInt32) -> UInt32 {
        if key.hasEscapes { return resolvedMark(of: key, object: object) }
        let length = key.raw.count
        return mark(length: length, first: key.raw[0], last: key.raw[length &- 1], object: object)
    }

    @inline(__always)
    private static func mark(length: Int, first: UInt8, last: UInt8, object: UInt32) -> UInt32 {
        // These factors leave each of Hanko's names a bit of its own.
        let ends = UInt32(first) &+ UInt32(last) &* 2
        return ends &+ UInt32(truncatingIfNeeded: length) &* 3 &+ object &* 9
    }

    @inline(never)
    private static func resolvedMark(of key: JSONString, object: UInt32) -> UInt32 {
        var length = 0
        var first: UInt8 = 0
        var last: UInt8 = 0
        var decoder = JSONStringDecoder(key)
        while let byte = decoder.next() {
            if length == 0 { first = byte }
            last = byte
            length &+= 1
        }
        return mark(length: length, first: first, last: last, object: object)
    }

    private mutating func isAmongFirst(_ entry: Entry, _ key: JSONString, in document: ByteView) -> Bool {
        let last = min(count, Self.inlineCapacity)
        // Through a pointer: the compiler would copy the whole array for a loop over its elements.
        return withUnsafeMutablePointer(to: &inlineEntries) { array in
            let entries = UnsafeRawPointer(array).assumingMemoryBound(to: Entry.self)
            var index = 0
            while index < last {
                if Self.isSame(entries[index], entry, key, in: document) { return true }
                index &+= 1
            }
            return false
        }
    }

    // MARK: The table

    private mutating func insertIntoTable(_ entry: inout Entry, _ key: JSONString, in document: ByteView) -> Bool {
        if table == nil { seed = UInt32(truncatingIfNeeded: Random.bits()) }
        if count &* 2 >= tableCapacity { lacksMemory = !grow(in: document) }
        guard let table, !lacksMemory else { return false }
        entry.hash = hash(of: key, object: entry.object)
        var slot = Int(entry.hash) & (tableCapacity &- 1)
        while table[slot].object != 0 {
            if Self.isSame(table[slot], entry, key, in: document) { return false }
            slot = (slot &+ 1) & (tableCapacity &- 1)
        }
        table[slot] = entry
        count &+= 1
        return true
    }

    /// The size follows a document that anybody may have sent, so that it is no memory of Swift's, which ends the process
    /// where there is none.
    ///
    /// - Returns: false when there is no memory.
    private mutating func grow(in document: ByteView) -> Bool {
        // A power of two, and never more than half full, so that every search ends at a free slot.
        let capacity = max(Self.inlineCapacity &* 4, tableCapacity &* 2)
        guard let memory = malloc(capacity &* MemoryLayout<Entry>.stride) else { return false }
        let larger = memory.bindMemory(to: Entry.self, capacity: capacity)
        larger.initialize(repeating: Entry(), count: capacity)
        if let table {
            var slot = 0
            while slot < tableCapacity {
                if table[slot].object != 0 { Self.place(table[slot], in: larger, capacity: capacity) }
                slot &+= 1
            }
            free(table)
        } else {
            var index = 0
            while index < count, index < Self.inlineCapacity {
                var entry = inlineEntries[index]
                entry.hash = hash(of: entry.key(in: document), object: entry.object)
                Self.place(entry, in: larger, capacity: capacity)
                index &+= 1
            }
        }
        table = larger
        tableCapacity = capacity
        return true
    }

    private static func place(_ entry: Entry, in table: UnsafeMutablePointer<Entry>, capacity: Int) {
        var slot = Int(entry.hash) & (capacity &- 1)
        while table[slot].object != 0 { slot = (slot &+ 1) & (capacity &- 1) }
        table[slot] = entry
    }

    private static func isSame(_ old: Entry, _ new: Entry, _ key: JSONString, in document: ByteView) -> Bool {
        guard old.hash == new.hash, old.object == new.object else { return false }
        return old.key(in: document).equals(key)
    }

    /// FNV-1a over the name with its escapes resolved, with the high bits mixed into the low ones that pick the slot. It
    /// begins with the object, so that one name in thousands of objects does not lead to one slot.
    private func hash(of key: JSONString, object: UInt32) -> UInt32 {
        var hash: UInt32 = 2_166_136_261 ^ seed ^ object &* 0x9E37_79B1
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
