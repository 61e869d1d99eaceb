import HankoCore
import Testing

@Suite struct WaitingLineTests {
    /// Fills a line with as many as may be in use and as many as shall wait.
    private static func line(inUse: Int, waiting: Int, atMost maximumWaiting: Int = 1_000_000) -> (
        WaitingLine, [UInt64]
    ) {
        var line = WaitingLine(maximumInUse: inUse, maximumWaiting: maximumWaiting)
        var tickets: [UInt64] = []
        for _ in 0..<inUse + waiting {
            if case .wait(let ticket) = line.acquire() { tickets.append(ticket) }
        }
        return (line, tickets)
    }

    private static func releaseAll(_ line: inout WaitingLine) -> [UInt64] {
        var turns: [UInt64] = []
        while let ticket = line.release() { turns.append(ticket) }
        return turns
    }

    @Test func asManyAsAllowedAreGrantedAndTheNextWait() {
        var line = WaitingLine(maximumInUse: 2, maximumWaiting: 2)
        let admissions = (0..<6).map { _ in line.acquire() }
        #expect(admissions[0] == .granted)
        #expect(admissions[1] == .granted)
        #expect(admissions[4] == .refused)
        #expect(admissions[5] == .refused)
        guard case .wait(let third) = admissions[2], case .wait(let fourth) = admissions[3] else {
            Issue.record("nobody waits")
            return
        }
        #expect(third != fourth)
        #expect(line.inUse == 2)
        #expect(line.waitingCount == 2)
    }

    @Test func aRefusedOneLeavesNoTrace() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 1, atMost: 1)
        for _ in 0..<10 {
            let admission = line.acquire()
            #expect(admission == .refused)
        }
        let turns = Self.releaseAll(&line)
        #expect(turns == tickets)
        #expect(line.inUse == 0)
        let again = line.acquire()
        #expect(again == .granted)
    }

    @Test func withoutRoomToWaitTheSecondIsRefused() {
        var line = WaitingLine(maximumInUse: 1, maximumWaiting: 0)
        let admissions = [line.acquire(), line.acquire()]
        #expect(admissions == [.granted, .refused])
    }

    @Test func turnsComeInOrder() {
        var (line, tickets) = Self.line(inUse: 3, waiting: 10)
        #expect(tickets.count == 10)
        var turns: [UInt64] = []
        for _ in 0..<10 {
            if let ticket = line.release() { turns.append(ticket) }
            #expect(line.inUse == 3)
        }
        #expect(turns == tickets)
        #expect(line.waitingCount == 0)
        for left in [2, 1, 0] {
            let nobody = line.release()
            #expect(nobody == nil)
            #expect(line.inUse == left)
        }
    }

    @Test func nobodyOvertakesThoseWhoWait() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 1)
        let turn = line.release()
        #expect(turn == tickets.first)
        // The place was passed on, so that a newcomer waits.
        let newcomer = line.acquire()
        #expect(newcomer != .granted)
        #expect(line.inUse == 1)
    }

    @Test func oneReleaseTooManyIsOfNoHarm() {
        var line = WaitingLine(maximumInUse: 1, maximumWaiting: 1)
        let nobody = line.release()
        #expect(nobody == nil)
        #expect(line.inUse == 0)
        let admissions = [line.acquire(), line.acquire()]
        #expect(admissions[0] == .granted)
        #expect(admissions[1] != .granted)
    }

    @Test(arguments: [0, 1, 4, 8, 9])
    func whoeverLeavesLosesTheTurnAndTheOthersKeepTheirs(_ index: Int) {
        var (line, tickets) = Self.line(inUse: 1, waiting: 10)
        let left = line.giveUp(tickets[index])
        let leftAgain = line.giveUp(tickets[index])
        #expect(left)
        #expect(!leftAgain)
        #expect(line.waitingCount == 9)
        let turns = Self.releaseAll(&line)
        var expected = tickets
        expected.remove(at: index)
        #expect(turns == expected)
    }

    @Test func aTurnThatHasComeCannotBeLeft() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 2)
        let turn = line.release()
        #expect(turn == tickets[0])
        let left = line.giveUp(tickets[0])
        #expect(!left)
        #expect(line.inUse == 1)
        // It is given back as if it had been used, and the next one's turn comes.
        let next = line.release()
        #expect(next == tickets[1])
    }

    @Test func ticketsThatWereNeverGivenCannotBeLeft() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 2)
        for ticket in [0, UInt64.max, (tickets.last ?? 0) + 1] {
            let left = line.giveUp(ticket)
            #expect(!left)
        }
        #expect(line.waitingCount == 2)
    }

    @Test func whereAllHaveLeftThePlaceBecomesFree() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 100)
        for ticket in tickets.reversed() {
            let left = line.giveUp(ticket)
            #expect(left)
        }
        #expect(line.waitingCount == 0)
        let nobody = line.release()
        #expect(nobody == nil)
        #expect(line.inUse == 0)
    }

    @Test func leavingMakesRoomForAnother() {
        var (line, tickets) = Self.line(inUse: 1, waiting: 3, atMost: 3)
        let full = line.acquire()
        let left = line.giveUp(tickets[1])
        let admission = line.acquire()
        #expect(full == .refused)
        #expect(left)
        guard case .wait(let ticket) = admission else {
            Issue.record("no room was made")
            return
        }
        let turns = Self.releaseAll(&line)
        #expect(turns == [tickets[0], tickets[2], ticket])
    }

    @Test func thousandsKeepTheirOrderWhileThoseAtTheFrontAreForgotten() {
        var (line, tickets) = Self.line(inUse: 4, waiting: 5_000)
        var expected = tickets
        for index in stride(from: 4_999, through: 0, by: -7) {
            let left = line.giveUp(tickets[index])
            #expect(left)
            expected.remove(at: index)
        }
        #expect(line.waitingCount == expected.count)
        var turns: [UInt64] = []
        for round in 0..<20_000 {
            guard let ticket = line.release() else { break }
            turns.append(ticket)
            // Newcomers keep coming for a while.
            if round < 1_000, case .wait(let ticket) = line.acquire() { expected.append(ticket) }
        }
        #expect(turns == expected)
        #expect(turns.count > 5_000)
    }

    /// The same by the simplest means: an array of those who wait.
    private struct NaiveLine {
        let maximumInUse: Int
        let maximumWaiting: Int
        var inUse = 0
        var waiting: [UInt64] = []
    }

    @Test(arguments: [(1, 1), (1, 5), (3, 4), (4, 64), (8, 100)])
    func randomEventsHaveTheResultsOfANaiveLine(_ maximumInUse: Int, _ maximumWaiting: Int) {
        var generator = SeededGenerator(seed: UInt64(maximumInUse * 1_000 + maximumWaiting))
        var line = WaitingLine(maximumInUse: maximumInUse, maximumWaiting: maximumWaiting)
        var naive = NaiveLine(maximumInUse: maximumInUse, maximumWaiting: maximumWaiting)
        var passed: [UInt64] = []
        var seen = (granted: 0, waited: 0, refused: 0, turns: 0, left: 0)
        for step in 0..<6_000 {
            // Phases of many newcomers and of few, so that the line grows long and empties.
            let busy = step / 700 % 2 == 0
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<(busy ? 6 : 2):
                let admission = line.acquire()
                if naive.inUse < maximumInUse {
                    naive.inUse += 1
                    seen.granted += 1
                    #expect(admission == .granted)
                } else if naive.waiting.count >= maximumWaiting {
                    seen.refused += 1
                    #expect(admission == .refused)
                } else if case .wait(let ticket) = admission {
                    seen.waited += 1
                    #expect(!naive.waiting.contains(ticket))
                    naive.waiting.append(ticket)
                } else {
                    Issue.record("\(admission) where one must wait")
                }
            case 6..<7:
                // Somebody who waits leaves, or one whose turn has come already tries to.
                if let ticket = naive.waiting.randomElement(using: &generator) {
                    let left = line.giveUp(ticket)
                    #expect(left)
                    naive.waiting.removeAll { $0 == ticket }
                    passed.append(ticket)
                    seen.left += 1
                }
                if let ticket = passed.randomElement(using: &generator) {
                    let left = line.giveUp(ticket)
                    #expect(!left)
                }
            default:
                guard naive.inUse > 0 else { continue }
                let turn = line.release()
                if naive.waiting.isEmpty {
                    naive.inUse -= 1
                    #expect(turn == nil)
                } else {
                    let first = naive.waiting.removeFirst()
                    #expect(turn == first)
                    passed.append(first)
                    seen.turns += 1
                }
            }
            #expect(line.inUse == naive.inUse)
            #expect(line.waitingCount == naive.waiting.count)
            #expect(line.inUse <= maximumInUse)
        }
        #expect(seen.granted > 10 && seen.waited > 10 && seen.refused > 10 && seen.turns > 10 && seen.left > 10)
    }
}
