/// How one exchange, one request to Hanko, ended.
package enum ExchangeEnd {
    case answer(Answer)
    case failure(TransportFailure)
}
