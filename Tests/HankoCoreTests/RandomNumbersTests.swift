@testable import HankoCore
import Testing

@Suite struct RandomNumbersTests {
    @Test func noneComesTwice() throws {
        var numbers = RandomNumbers()
        var seen: Set<UInt64> = []
        for _ in 0..<1_000 {
            let number = numbers.next()
            seen.insert(try #require(number))
        }
        #expect(seen.count == 1_000)
    }

    @Test func everyBitIsSometimesSetAndSometimesNot() throws {
        var numbers = RandomNumbers()
        var set: UInt64 = 0
        var unset: UInt64 = 0
        for _ in 0..<1_000 {
            let next = numbers.next()
            let number = try #require(next)
            set |= number
            unset |= ~number
        }
        #expect(set == .max && unset == .max)
    }

    @Test func eachHasItsOwn() throws {
        var one = RandomNumbers()
        var other = RandomNumbers()
        var seen: Set<UInt64> = []
        for _ in 0..<100 {
            let (first, second) = (one.next(), other.next())
            seen.insert(try #require(first))
            seen.insert(try #require(second))
        }
        #expect(seen.count == 200)
    }
}
