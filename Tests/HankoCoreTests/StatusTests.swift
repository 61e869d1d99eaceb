import CHanko
import Hanko
import HankoCore
import Testing

@Suite struct StatusTests {
    /// The numbers of the C API are written twice, here and in the header; they must agree.
    @Test func numbersAreThoseOfTheHeader() {
        #expect(Status.ok.rawValue == Int32(HANKO_OK))
        #expect(Status.invalidToken.rawValue == Int32(HANKO_INVALID_TOKEN))
        #expect(Status.noToken.rawValue == Int32(HANKO_NO_TOKEN))
        #expect(Status.timeout.rawValue == Int32(HANKO_TIMEOUT))
        #expect(Status.unavailable.rawValue == Int32(HANKO_UNAVAILABLE))
        #expect(Status.misconfigured.rawValue == Int32(HANKO_MISCONFIGURED))
        #expect(Status.protocolError.rawValue == Int32(HANKO_PROTOCOL_ERROR))
        #expect(Status.invalidArgument.rawValue == Int32(HANKO_INVALID_ARGUMENT))
        #expect(Status.cancelled.rawValue == Int32(HANKO_CANCELLED))
        #expect(Status.bufferTooSmall.rawValue == Int32(HANKO_BUFFER_TOO_SMALL))
        #expect(Status.allCases.count == 10)
    }

    @Test func versionIsThatOfTheHeader() {
        #expect(
            LibraryVersion.number
                == UInt32(HANKO_VERSION_MAJOR * 10_000 + HANKO_VERSION_MINOR * 100 + HANKO_VERSION_PATCH))
        #expect("\(LibraryVersion.text)" == HANKO_VERSION_STRING)
    }
}
