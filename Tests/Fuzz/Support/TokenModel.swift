import HankoCore

/// What is said of a token before anybody is asked about it, once more, on strings and values.
enum TokenModel {
    case refused(VerdictReason)
    /// A text that is no JWS.
    case plain([UInt8])
    case jws([UInt8], payload: JSONValue)

    init(_ token: [UInt8]) {
        if token.isEmpty {
            self = .refused(.noToken)
        } else if token.count > 262_144 {
            self = .refused(.tokenTooLong)
        } else if token.contains(0) {
            self = .refused(.tokenHoldsNUL)
        } else if let text = String(validating: token, as: UTF8.self) {
            self.init(text)
        } else {
            self = .refused(.tokenNotUTF8)
        }
    }

    private init(_ text: String) {
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        let token = Array(String(scalars).utf8)
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        guard let first = token.first else {
            self = .refused(.tokenBlank)
            return
        }
        guard parts.count > 2 || first == UInt8(ascii: "{") else {
            self = .plain(token)
            return
        }
        let decoded = parts.compactMap { Base64Model.decode($0) }
        guard first != UInt8(ascii: "{"), parts.count == 3, decoded.count == 3,
            let header = JSONModel.parse(decoded[0]), header.isObject,
            let payload = JSONModel.parse(decoded[1]), payload.isObject
        else {
            self = .refused(.tokenNotCanonical)
            return
        }
        self = .jws(token, payload: payload)
    }

    /// The token without the white space around it; nil for one that is refused.
    var text: [UInt8]? {
        switch self {
        case .refused: nil
        case .plain(let text), .jws(let text, _): text
        }
    }

    var payload: JSONValue? {
        guard case .jws(_, let payload) = self else { return nil }
        return payload
    }
}
