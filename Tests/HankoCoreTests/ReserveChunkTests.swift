import CSystem
@testable import HankoCore
import Testing

@Suite struct ReserveChunkTests {
    /// A run of blocks that somebody has.
    private struct Run {
        let start: UnsafeMutableRawPointer
        let size: Int
        let mark: UInt8

        /// All of it still has what was written.
        var isIntact: Bool { (0..<size).allSatisfy { start.load(fromByteOffset: $0, as: UInt8.self) == mark } }
    }

    private static func withChunk(_ body: (ReserveChunk) throws -> Void) throws {
        let memory = try #require(hanko_map_memory(ReserveChunk.size))
        defer { munmap(memory, ReserveChunk.size) }
        try body(ReserveChunk(memory))
    }

    private static func take(_ size: Int, _ mark: UInt8, from chunk: ReserveChunk) -> Run? {
        guard let start = chunk.allocate(size) else { return nil }
        memset(start, Int32(mark), size)
        return Run(start: start, size: size, mark: mark)
    }

    @Test func allOfItCanBeHadAndComesBack() throws {
        try Self.withChunk { chunk in
            for size in [0, 1, 64, 65, 640, 4096] {
                let blocks = max(1, (size + 63) / 64)
                var runs: [UnsafeMutableRawPointer] = []
                while let run = chunk.allocate(size) {
                    #expect(chunk.contains(run) && UInt(bitPattern: run) % 64 == 0)
                    runs.append(run)
                }
                #expect(Set(runs).count == runs.count)
                // A run lies within 64 blocks.
                #expect(runs.count == ReserveChunk.blockCount / 64 * (64 / blocks))
                for run in runs { chunk.free(run) }
                #expect(chunk.freeBlockCount == ReserveChunk.blockCount)
            }
        }
    }

    @Test func largeRunsAreServedToo() throws {
        try Self.withChunk { chunk in
            let all = ReserveChunk.blockCount * ReserveChunk.blockSize
            for size in [4097, 8192, 100_000, all] {
                let run = try #require(chunk.allocate(size))
                memset(run, 1, size)
                chunk.free(run)
                #expect(chunk.freeBlockCount == ReserveChunk.blockCount)
            }
            for size in [all + 1, .max] { #expect(chunk.allocate(size) == nil) }
            // One block in the middle leaves room on both sides only.
            let half = try #require(chunk.allocate(all / 2))
            let one = try #require(chunk.allocate(1))
            chunk.free(half)
            #expect(chunk.allocate(all / 2 + 4096) == nil)
            #expect(chunk.freeBlockCount == ReserveChunk.blockCount - 1)
            chunk.free(one)
            #expect(chunk.freeBlockCount == ReserveChunk.blockCount)
        }
    }

    @Test func noTwoHaveTheSameBlocks() throws {
        try Self.withChunk { chunk in
            var random = SeededGenerator(seed: 6)
            var runs: [Run] = []
            var refused = 0
            for step in 0..<20_000 {
                if Bool.random(using: &random), let index = runs.indices.randomElement(using: &random) {
                    let run = runs.remove(at: index)
                    #expect(run.isIntact)
                    chunk.free(run.start)
                } else {
                    let size = Int.random(in: 0..<(step % 50 == 0 ? 40_000 : 600), using: &random)
                    if let run = Self.take(size, UInt8(truncatingIfNeeded: step), from: chunk) {
                        runs.append(run)
                    } else {
                        refused += 1
                    }
                }
            }
            for run in runs {
                #expect(run.isIntact)
                chunk.free(run.start)
            }
            #expect(chunk.freeBlockCount == ReserveChunk.blockCount)
        }
    }

    @Test func threadsMayShareIt() async throws {
        let memory = try #require(hanko_map_memory(ReserveChunk.size))
        defer { munmap(memory, ReserveChunk.size) }
        let address = UInt(bitPattern: memory)
        let intact = await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    guard let memory = UnsafeMutableRawPointer(bitPattern: address) else { return false }
                    let chunk = ReserveChunk(memory)
                    var random = SeededGenerator(seed: UInt64(worker))
                    var runs: [Run] = []
                    var isIntact = true
                    for step in 0..<5000 {
                        let size = Int.random(in: 0..<(step % 20 == 0 ? 20_000 : 500), using: &random)
                        if let run = Self.take(size, UInt8(worker + 1), from: chunk) { runs.append(run) }
                        if runs.count > 50 {
                            let run = runs.removeFirst()
                            isIntact = isIntact && run.isIntact
                            chunk.free(run.start)
                        }
                    }
                    for run in runs {
                        isIntact = isIntact && run.isIntact
                        chunk.free(run.start)
                    }
                    return isIntact
                }
            }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(intact)
        #expect(ReserveChunk(memory).freeBlockCount == ReserveChunk.blockCount)
    }
}
