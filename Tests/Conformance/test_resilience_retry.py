"""Requests that are sent again: only where Hanko cannot have answered, and counted for the whole call."""

from __future__ import annotations

import time

import pytest

from deadline import within
from fault_server import answers, answers_in_turn, refused_port, sends
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, head, http_date, response
from resilience import Client

YES = response(BARE_YES)


def broken(*, after: bytes = b"", reset: bool = False):
    """A script that reads a request, sends the beginning of an answer, and leaves."""

    def script(connection):
        connection.read_request()
        if after:
            connection.send(after)
            # So that a reset does not overtake the bytes.
            connection.wait(0.1)
        connection.reset() if reset else connection.close()

    return script


def failing(status, *headers, body=b""):
    """A whole answer of a sick server."""
    return response(body, status=status, headers=headers)


def closes_unread(connection):
    connection.close()


def resets_unread(connection):
    connection.wait(0.05)
    connection.reset()


BEFORE_AN_ANSWER = {
    "closed": broken(),
    "reset": broken(reset=True),
    "closed before the request was read": closes_unread,
    "reset before the request was read": resets_unread,
    "502": sends(failing(502), close=True),
    "503": sends(failing(503), close=True),
    "504": sends(failing(504), close=True),
    "503 that keeps the connection": answers(failing(503), YES),
    "503 with Retry-After": sends(failing(503, ("Retry-After", "0"), ("Connection", "close")), close=True),
    "429 with Retry-After": sends(failing(429, ("Retry-After", "0"), ("Connection", "close")), close=True),
}


@pytest.mark.parametrize("end", BEFORE_AN_ANSWER)
def test_sent_again(library, serve, end):
    server = serve(BEFORE_AN_ANSWER[end], answers(YES))
    with Client(library, server.url(), max_retries=1) as client:
        assert client.status(TOKEN) == OK
        found = client.statistics()
    assert found.retries == 1
    assert server.connections == (1 if "keeps" in end else 2)
    if "before the request" not in end:
        assert found.requests == len(server.requests) == 2
        assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("end", BEFORE_AN_ANSWER)
def test_the_last_failure_is_the_result(library, serve, end):
    server = serve(BEFORE_AN_ANSWER[end] if "keeps" not in end else answers(failing(503)))
    with Client(library, server.url(), max_retries=2) as client:
        assert client.status(TOKEN) == UNAVAILABLE
        assert client.statistics().retries == 2
    assert server.connections == (1 if "keeps" in end else 3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_refused_connections_are_tried_again(library, count):
    """Nobody listens, so only the counters and the time between tell."""
    with Client(library, f"http://127.0.0.1:{refused_port()}", max_retries=count) as client, within(8):
        assert client.status(TOKEN) == UNAVAILABLE
        found = client.statistics()
    assert found.retries == count
    # No request ever left.
    assert found.requests == 0


HEAD_PIECE = head(200, [("Content-Type", "application/json"), ("Content-Length", "18")])
NEVER_AGAIN = {
    "500": (sends(failing(500), close=True), UNAVAILABLE),
    "501": (sends(failing(501), close=True), UNAVAILABLE),
    "505": (sends(failing(505), close=True), UNAVAILABLE),
    "429 without Retry-After": (sends(failing(429), close=True), UNAVAILABLE),
    "429 with an unreadable Retry-After": (sends(failing(429, ("Retry-After", "soon")), close=True), UNAVAILABLE),
    "408": (sends(failing(408), close=True), UNAVAILABLE),
    "425": (sends(failing(425), close=True), UNAVAILABLE),
    "404": (sends(failing(404), close=True), MISCONFIGURED),
    "403": (sends(failing(403), close=True), MISCONFIGURED),
    "301": (sends(failing(301, ("Location", "/")), close=True), MISCONFIGURED),
    "204": (sends(failing(204), close=True), PROTOCOL_ERROR),
    "no": (sends(response(NO), close=True), INVALID_TOKEN),
    "not JSON": (sends(response(b"<html>"), close=True), PROTOCOL_ERROR),
    "closed after the status line": (broken(after=b"HTTP/1.1 200 OK\r\n"), UNAVAILABLE),
    "reset after the status line": (broken(after=b"HTTP/1.1 200 OK\r\n", reset=True), UNAVAILABLE),
    "closed after the head": (broken(after=HEAD_PIECE), UNAVAILABLE),
    "reset after the head": (broken(after=HEAD_PIECE, reset=True), UNAVAILABLE),
    "closed in the body": (broken(after=HEAD_PIECE + BARE_YES[:-4]), UNAVAILABLE),
    "reset in the body": (broken(after=HEAD_PIECE + BARE_YES[:-4], reset=True), UNAVAILABLE),
    "closed after 100 Continue": (broken(after=b"HTTP/1.1 100 Continue\r\n\r\n"), UNAVAILABLE),
}


@pytest.mark.parametrize("end", NEVER_AGAIN)
def test_not_sent_again(library, serve, end):
    """An answer that began, or one that asking again cannot better."""
    script, status = NEVER_AGAIN[end]
    server = serve(script, answers(YES))
    with Client(library, server.url(), max_retries=10, confirm_rejections=0) as client:
        assert client.status(TOKEN) == status
        found = client.statistics()
    assert (found.retries, found.requests) == (0, 1)
    assert server.connections == 1


def hangs(connection):
    connection.read_request()
    connection.hang()


def trickles(connection):
    connection.read_request()
    connection.send_slowly(YES, 0.05)
    connection.hang()


def takes_nothing(connection):
    connection.leave_unread()


@pytest.mark.parametrize("script", [hangs, trickles, takes_nothing], ids=["silent", "slow", "unread"])
def test_not_sent_again_after_a_timeout(library, serve, script):
    server = serve(script, answers(YES))
    with Client(library, server.url(), max_retries=10, timeout_ms=500) as client, within(8):
        assert client.status(TOKEN) == TIMEOUT
        assert client.statistics().retries == 0
    assert server.connections == 1


def test_a_tls_failure_is_not_tried_again(library, serve, tls):
    """A certificate does not get better within a call."""
    server = serve(answers(YES), tls=tls.server_context())
    with Client(library, server.url(), max_retries=3, ca_file=tls.stranger.certificate) as client:
        assert client.status(TOKEN) == UNAVAILABLE
        assert client.statistics().retries == 0
    assert server.connections == 1 and not server.requests


@pytest.mark.parametrize("count", range(11))
def test_retries_are_bounded_by_the_setting(library, serve, count):
    """`Retry-After: 0` asks for no pause, so that many retries need no time."""
    server = serve(answers(failing(503, ("Retry-After", "0"))))
    with Client(library, server.url(), max_retries=count) as client, within(8):
        assert client.status(TOKEN) == UNAVAILABLE
        found = client.statistics()
    # The tenth failure opens the circuit breaker, which then stands in the way of the tenth retry.
    assert len(server.requests) == found.requests == min(count + 1, 10)
    assert found.retries == len(server.requests) - 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_retries_count_for_all_candidates_together(library, serve, count):
    """Each candidate is first answered 503, then no; the budget of the call runs out at the candidate after it."""
    seen = set()

    def reply(request):
        if request.token in seen:
            return response(NO)
        seen.add(request.token)
        return failing(503, ("Retry-After", "0"))

    server = serve(answers(reply))
    cookie = b"; ".join(b"hanko=candidate-number-%d" % number for number in range(4))
    with Client(library, server.url(), max_retries=count) as client:
        assert client.authenticate(cookie).status == UNAVAILABLE
        assert client.statistics().retries == count
    # Two requests for each candidate that the budget covered, and one for the first that it did not.
    assert [request.token for request in server.requests] == [
        f"candidate-number-{number // 2}" for number in range(2 * count + 1)
    ]


def test_a_retry_serves_the_later_candidates(library, serve):
    """The first candidate uses up the only retry, the second still gets its one request."""
    server = serve(answers_in_turn(failing(503, ("Retry-After", "0")), response(NO), YES))
    with Client(library, server.url(), max_retries=1) as client:
        assert client.authenticate(b"hanko=candidate-one; hanko=candidate-two").status == OK
    assert [request.token for request in server.requests] == ["candidate-one", "candidate-one", "candidate-two"]


# Retry-After ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(library, serve, status, form):
    # Far from this machine's clock: the date counts from the answer's own Date.
    theirs = time.time() - 86400
    value = "1" if form == "seconds" else http_date(theirs + 2)
    arrivals = []

    def note(request):
        arrivals.append(time.monotonic())
        if len(arrivals) > 1:
            return YES
        return response(b"", status=status, headers=[("Retry-After", value)], date=http_date(theirs))

    server = serve(answers(note))
    with Client(library, server.url(), max_retries=1, timeout_ms=30000) as client, within(20):
        assert client.status(TOKEN) == OK
    least = 1 if form == "seconds" else 2
    assert least - 0.05 <= arrivals[1] - arrivals[0] < least + 8


def test_a_date_in_the_past_means_now(library, serve):
    past = http_date(time.time() - 1000)
    server = serve(answers(failing(503, ("Retry-After", past)), YES), answers(YES))
    with Client(library, server.url(), max_retries=1) as client, within(8):
        assert client.status(TOKEN) == OK
        assert client.statistics().retries == 1


DOES_NOT_FIT = {
    "seconds": lambda theirs: "3600",
    "a date": lambda theirs: http_date(theirs + 3600),
    "a huge number": lambda theirs: "99999999999999999999",
    "the largest 64-bit number": lambda theirs: "9223372036854775807",
}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("form", DOES_NOT_FIT)
def test_retry_after_that_does_not_fit_ends_the_call_at_once(library, serve, status, form):
    value = DOES_NOT_FIT[form](time.time())
    server = serve(answers(failing(status, ("Retry-After", value))), answers(YES))
    with Client(library, server.url(), max_retries=10, timeout_ms=30000) as client, within(8):
        assert client.status(TOKEN) == UNAVAILABLE
        assert client.statistics().retries == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["-1", "1.5", "", "soon", "0x10", "1 2"])
def test_an_unreadable_retry_after_counts_as_none(library, serve, value):
    """503 is then tried again after the library's own pause, as without the field."""
    server = serve(answers(failing(503, ("Retry-After", value)), YES))
    with Client(library, server.url(), max_retries=1, timeout_ms=20000) as client, within(10):
        assert client.status(TOKEN) == OK
        assert client.statistics().retries == 1


def test_a_pause_never_outlasts_the_deadline(library, serve):
    """Ten retries with growing pauses need more than the 700 ms there are."""
    server = serve(answers(failing(503)))
    with Client(library, server.url(), max_retries=10, timeout_ms=700) as client, within(5):
        assert client.status(TOKEN) == UNAVAILABLE
        found = client.statistics()
    assert 1 <= found.retries < 10
    assert len(server.requests) == found.requests == found.retries + 1


def test_retries_wait_longer_each_time(library, serve):
    arrivals = []

    def note(request):
        arrivals.append(time.monotonic())
        return failing(503)

    serve_url = serve(answers(note)).url()
    with Client(library, serve_url, max_retries=4, timeout_ms=30000) as client, within(20):
        assert client.status(TOKEN) == UNAVAILABLE
    gaps = [later - earlier for earlier, later in zip(arrivals, arrivals[1:])]
    assert len(gaps) == 4
    # Half to all of 100, 200, 400 and 800 ms: the last is longer than the first even at its shortest.
    assert gaps[0] >= 0.045 and gaps[3] >= 0.39


# A kept connection that is dead ---------------------------------------------------------------------------------------


def keeps_then(end):
    """A script that answers one request and ends the connection when the next one comes, or before."""

    def script(connection):
        connection.read_request()
        connection.send(YES)
        end(connection)

    return script


def leaves_before(connection):
    connection.close()


def leaves_with_the_request(connection):
    connection.read_request()
    connection.close()


def resets_with_the_request(connection):
    connection.read_request()
    connection.reset()


def says_408(connection):
    connection.read_request()
    connection.send(failing(408))


DEAD = [leaves_before, leaves_with_the_request, resets_with_the_request, says_408]


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("end", DEAD, ids=lambda end: end.__name__)
def test_a_dead_kept_connection_is_replaced_and_not_counted(library, serve, trusted, end, transport):
    """With no retry allowed at all."""
    context = trusted.server_context() if transport == "https" else None
    server = serve(keeps_then(end), answers(YES), tls=context)
    settings = {"ca_file": trusted.authority.certificate} if context else {}
    with Client(library, server.url(), max_retries=0, **settings) as client:
        assert client.status(TOKEN) == OK
        time.sleep(0.1)  # so that a close before the request has arrived
        assert client.status(TOKEN) == OK
        found = client.statistics()
    assert found.retries == 0
    assert found.connections_opened == server.connections == 2


def test_a_replaced_connection_leaves_the_retry(library, serve):
    """Dead connection, its replacement closed too: the retry comes after both."""
    server = serve(keeps_then(leaves_with_the_request), broken(), answers(YES))
    with Client(library, server.url(), max_retries=1) as client:
        assert client.status(TOKEN) == OK
        assert client.status(TOKEN) == OK
        assert client.statistics().retries == 1
    assert server.connections == 3


def test_replacements_are_bounded(library, serve):
    """A server that closes every connection with the second request multiplies nothing."""
    server = serve(keeps_then(leaves_with_the_request), broken())
    with Client(library, server.url(), max_retries=0) as client:
        assert client.status(TOKEN) == OK
        assert client.status(TOKEN) == UNAVAILABLE
        assert client.statistics().retries == 0
    assert server.connections == 2
    assert len(server.requests) == 3
