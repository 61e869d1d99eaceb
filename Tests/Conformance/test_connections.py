"""Kept connections: reused while they are sound, never used once something is odd about them.

The surplus answers matter most. A peer that sends two answers to one question (a
broken proxy, an attacker in front of one) must not decide about the next token.
"""

from __future__ import annotations

import ssl
import threading
import time

import pytest

from certificates import only_version
from fault_server import ClientLeft, answers, sends
from library import INVALID_TOKEN, MISCONFIGURED, OK, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, Session, chunked_response, error_body, head, response

# What a connection brings is looked at request by request, and many end or stay silent after the first answer.
pytestmark = pytest.mark.every_no_is_believed

# What was written on loopback is there at once; this is room for a busy machine.
ARRIVAL = 0.03

TRANSPORTS = ["http", "TLS 1.2", "TLS 1.3"]


@pytest.fixture(params=TRANSPORTS)
def transport(request, trusted):
    """The server's TLS settings, or None for plain HTTP."""
    if request.param == "http":
        return None
    version = ssl.TLSVersion.TLSv1_2 if request.param == "TLS 1.2" else ssl.TLSVersion.TLSv1_3
    return only_version(trusted.server_context(), version)


# --- reuse --------------------------------------------------------------------------------------------


def test_one_connection_for_many_calls(library, answering, transport):
    server = answering(tls=transport)
    for _ in range(10):
        assert library.ask(TOKEN).status == INVALID_TOKEN
    assert (server.connections, len(server.requests)) == (1, 10)


KEPT = {
    "no": response(NO),
    "yes": response(BARE_YES),
    "chunked no": chunked_response(NO),
    "chunked yes with a trailer": chunked_response(BARE_YES, trailer=b"X-Trailer: 1\r\n"),
    "chunks with extensions and leading zeros": chunked_response(NO, 9).replace(
        b"\r\n9\r\n", b'\r\n0009;a=b;c="d"\r\n'
    ),
    "HTML": response(b"<html>"),
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n" + response(NO),
}


@pytest.mark.parametrize("kind", KEPT)
def test_200_read_to_its_end_keeps_the_connection(library, answering, transport, kind):
    server = answering(KEPT[kind], tls=transport)
    for _ in range(3):
        library.ask(TOKEN)
    assert (server.connections, len(server.requests)) == (1, 3)


def test_refused_tokens_keep_the_connection(library, answering):
    server = answering()
    for token in (TOKEN, None, b"", b"\xff", TOKEN):
        library.ask(token)
    assert (server.connections, len(server.requests)) == (1, 2)


# Read to their declared ends, whatever they say.
KEPT_AS_WELL = {
    "400 of a token": (response(error_body(400, "failed to parse token claims: x"), status=400), INVALID_TOKEN),
    "401": (response(b"", status=401), MISCONFIGURED),
    "404": (response(b"", status=404), MISCONFIGURED),
    "302": (response(b"", status=302, headers=[("Location", "/")]), MISCONFIGURED),
    "429": (response(b"", status=429), UNAVAILABLE),
    "500": (response(b"", status=500), UNAVAILABLE),
    "503 with a body": (response(b"<html>" * 1000, status=503), UNAVAILABLE),
    "503 in chunks": (chunked_response(b"<html>", status=503), UNAVAILABLE),
}


@pytest.mark.parametrize("kind", KEPT_AS_WELL)
def test_what_is_read_to_its_end_keeps_the_connection(library, answering, transport, kind):
    answer, status = KEPT_AS_WELL[kind]
    server = answering(answer, tls=transport)
    for _ in range(3):
        assert library.ask(TOKEN).status == status
    assert [request.connection for request in server.requests] == [1, 1, 1]


# The server has not read the request, or the connection ends with the answer.
NOT_KEPT = {
    "400 of a gateway": (response(b"Bad Request", status=400), MISCONFIGURED),
    "413": (response(b"", status=413), MISCONFIGURED),
    "431": (response(b"", status=431), MISCONFIGURED),
    "503 with a long body": (response(b" " * 20_000, status=503), UNAVAILABLE),
    "200 that says close": (response(NO, headers=[("Connection", "close")]), INVALID_TOKEN),
    "200 over HTTP/1.0": (response(NO, version="HTTP/1.0"), INVALID_TOKEN),
}


@pytest.mark.parametrize("kind", NOT_KEPT)
def test_every_other_answer_ends_the_connection(library, answering, transport, kind):
    answer, status = NOT_KEPT[kind]
    server = answering(answer, tls=transport)
    for _ in range(3):
        assert library.ask(TOKEN).status == status
    assert [request.connection for request in server.requests] == [1, 2, 3]


def test_oversized_answer_ends_the_connection(library, serve, transport):
    server = serve(answers(response(b" " * 300_000), response(NO)), answers(response(NO)), tls=transport)
    library.ask(TOKEN)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert [request.connection for request in server.requests] == [1, 2]


# --- closed meanwhile ---------------------------------------------------------------------------------


def ended_by(way):
    """A script that answers one request and, when told, ends the connection in some way; with the way to tell it."""
    go, ended = threading.Event(), threading.Event()

    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.wait_for(go)
        getattr(connection, way)()
        ended.set()
        if way == "send_closing_alert":
            connection.leave_unread()

    def end():
        go.set()
        assert ended.wait(5)
        time.sleep(ARRIVAL)

    return script, end


@pytest.mark.parametrize("way", ["close", "reset", "close_with_alert", "send_closing_alert"])
def test_closed_while_idle_is_no_failure(library, serve, transport, way):
    if transport is None and "alert" in way:
        way = "close"
    script, end = ended_by(way)
    session = Session()
    server = serve(script, answers(response(session.yes())), tls=transport)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    end()
    for _ in range(3):
        assert library.ask(session.token()).status == OK
    assert [request.connection for request in server.requests] == [1, 2, 2, 2]


@pytest.mark.parametrize("way", ["close", "reset"])
def test_closed_on_the_next_request_is_no_failure(library, serve, transport, way):
    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.read_request()
        getattr(connection, way)()

    session = Session()
    server = serve(script, answers(response(session.yes())), tls=transport)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert library.ask(session.token()).status == OK
    assert [request.connection for request in server.requests] == [1, 1, 2]
    assert server.requests[1].body == server.requests[2].body


def test_request_timeout_on_the_next_request_is_no_failure(library, serve, transport):
    session = Session()
    server = serve(
        answers(response(NO), response(b"", status=408, headers=[("Connection", "close")])),
        answers(response(session.yes())),
        tls=transport,
    )
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert library.ask(session.token()).status == OK
    assert [request.connection for request in server.requests] == [1, 1, 2]


def test_request_timeout_on_a_fresh_connection_is_one(library, answering, transport):
    server = answering(response(b"", status=408), tls=transport)
    assert library.ask(TOKEN).status == UNAVAILABLE
    assert len(server.requests) == 1


def test_replaced_once_only(library, serve, transport):
    def script(connection):
        connection.read_request()
        if connection.number == 1:
            connection.send(response(NO))
            connection.read_request()
        connection.close()

    server = serve(script, tls=transport)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert library.ask(TOKEN).status == UNAVAILABLE
    assert [request.connection for request in server.requests] == [1, 1, 2]


@pytest.mark.parametrize(
    "begun",
    # Less than a line is nothing to libcurl, which then sends the request again by itself.
    [b"HTTP/1.1 200 OK\r\n", response(BARE_YES)[:-1]],
    ids=["status line", "all but one byte"],
)
def test_not_replaced_once_an_answer_has_begun(library, serve, transport, begun):
    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.read_request()
        connection.send(begun)
        connection.wait(0.05)
        connection.reset()

    server = serve(script, answers(response(BARE_YES)), tls=transport)
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert library.ask(TOKEN).status == UNAVAILABLE
    assert [request.connection for request in server.requests] == [1, 1]


def test_server_restarted(library, serve, transport):
    """Every kept connection is dead at once; no call may notice."""
    gone = threading.Event()
    together = threading.Barrier(4)

    def script(connection):
        connection.read_request()
        # All four are asked at the same time, so that four connections are kept.
        together.wait(10)
        connection.send(response(NO))
        connection.wait_for(gone)
        connection.close()

    server = serve(script, script, script, script, answers(response(NO)), tls=transport)
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(library.ask(TOKEN).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [INVALID_TOKEN] * 4
    gone.set()
    time.sleep(0.1)
    for _ in range(6):
        assert library.ask(TOKEN).status == INVALID_TOKEN
    assert {request.connection for request in server.requests} == {1, 2, 3, 4, 5}


# --- unasked bytes ------------------------------------------------------------------------------------

SURPLUS = {
    "a yes": response(BARE_YES),
    "a chunked yes": chunked_response(BARE_YES),
    "a late 408": response(b"", status=408, headers=[("Connection", "close")]),
    "a 503": response(b"", status=503),
    "an interim answer and a yes": b"HTTP/1.1 100 Continue\r\n\r\n" + response(BARE_YES),
    "an empty line and a yes": b"\r\n" + response(BARE_YES),
    "half a yes": response(BARE_YES)[:40],
    "one byte": b"H",
    "a line end": b"\r\n",
    "noise": b"\x00\xff",
}

# How the first answer and the surplus are cut into writes. Over TLS every write is a record, and a
# record is what counts: what is left of one lies in the TLS library's buffer, where no look at the
# socket finds it.
CUTS = {
    "all in one": lambda start, body, surplus: [start + body + surplus],
    "head, then body with surplus": lambda start, body, surplus: [start, body + surplus],
    "head, part of the body, then the rest with surplus": lambda start, body, surplus: [
        start,
        body[:5],
        body[5:] + surplus,
    ],
    "head and body, then surplus": lambda start, body, surplus: [start + body, surplus],
    "each in its own": lambda start, body, surplus: [start, body, surplus],
    "body's last byte with surplus": lambda start, body, surplus: [start + body[:-1], body[-1:] + surplus],
}

FIRST = {
    "yes": (response(Session().yes()), OK),
    "no": (response(NO), INVALID_TOKEN),
    "chunked no": (chunked_response(NO, 5), INVALID_TOKEN),
}


class Surplus:
    """A script that sends the pieces, and answers truthfully if it is asked again on the same connection.

    With a surplus that is only the beginning of a yes, it completes that yes instead.
    """

    def __init__(self, pieces, surplus=b""):
        self.pieces = [piece for piece in pieces if piece]
        self.surplus = surplus
        self._sent = threading.Event()

    def __call__(self, connection):
        connection.read_request()
        try:
            for piece in self.pieces:
                connection.send(piece)
        finally:
            # A client that noticed the surplus may have left before all of it was out.
            self._sent.set()
        connection.read_request()
        yes = response(BARE_YES)
        completes = self.surplus and yes.startswith(self.surplus)
        connection.send(yes[len(self.surplus) :] if completes else response(NO))
        connection.hang()

    def wait_until_sent(self):
        """Return when everything has arrived, so that what waits can be seen."""
        assert self._sent.wait(5)
        time.sleep(ARRIVAL)


def assert_second_is_its_own(library, server):
    """The second token gets its own verdict, over a connection of its own."""
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [(request.connection, request.token) for request in server.requests[1:]] == [(2, "second token")]
    # And the one after that as well, over the good connection.
    assert library.ask(b"third token").status == INVALID_TOKEN
    assert server.requests[2].connection == 2


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("surplus", SURPLUS)
def test_surplus_beside_the_answer(library, serve, transport, surplus, cut):
    start, body = response(NO)[: -len(NO)], NO
    pieces = CUTS[cut](start, body, SURPLUS[surplus])
    script = Surplus(pieces, SURPLUS[surplus])
    server = serve(script, answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status == INVALID_TOKEN
    script.wait_until_sent()
    assert_second_is_its_own(library, server)


def framed(first, cut, surplus):
    """An answer of some framing with a surplus, cut somewhere."""
    answer, status = FIRST[first]
    back = {"all in one": len(answer), "last byte": 1, "last five bytes": 5}[cut]
    return [answer[:-back], answer[-back:] + surplus], status


# A thousand fill more than one buffer and more than one TLS record: what one read leaves behind, the next may find.
@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("cut", ["all in one", "last byte", "last five bytes"])
def test_surplus_yes_after_answers_of_every_framing(library, serve, transport, first, cut, count):
    pieces, status = framed(first, cut, SURPLUS["a yes"] * count)
    script = Surplus(pieces)
    serve(script, answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status == status
    script.wait_until_sent()
    assert library.ask(b"second token").status == INVALID_TOKEN


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("cut", ["all in one", "last byte", "last five bytes"])
def test_connection_with_a_surplus_is_given_up_after_answers_of_every_framing(library, serve, transport, first, cut):
    pieces, _ = framed(first, cut, SURPLUS["a yes"])
    script = Surplus(pieces)
    server = serve(script, answers(response(NO)), tls=transport)
    library.ask(b"first token")
    script.wait_until_sent()
    assert_second_is_its_own(library, server)


def test_surplus_wherever_a_chunked_answer_is_cut(library, serve, transport):
    answer = chunked_response(NO, 5)
    for back in range(1, 30):
        script = Surplus([answer[:-back], answer[-back:] + SURPLUS["a yes"]])
        server = serve(script, answers(response(NO)), tls=transport)
        assert library.ask(b"first token").status == INVALID_TOKEN
        script.wait_until_sent()
        assert_second_is_its_own(library, server)


@pytest.mark.parametrize("then", ["leave it open", "close"])
@pytest.mark.parametrize("surplus", SURPLUS)
def test_surplus_on_an_idle_connection(library, serve, transport, surplus, then):
    go, sent = threading.Event(), threading.Event()

    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.wait_for(go)
        connection.send(SURPLUS[surplus])
        if then == "close":
            connection.close()
        sent.set()
        if then != "close":
            connection.read_request()
            connection.send(response(BARE_YES))

    server = serve(script, answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status == INVALID_TOKEN
    go.set()
    assert sent.wait(5)
    time.sleep(ARRIVAL)
    assert_second_is_its_own(library, server)


def test_many_surplus_answers(library, serve, transport):
    """A server that always says one yes too many; no token but the first of a connection may have one."""

    def script(connection):
        try:
            while True:
                connection.read_request()
                connection.send(response(NO)[: -len(NO)])
                connection.send(NO + response(BARE_YES) * 3)
        except ClientLeft:
            pass

    server = serve(script, tls=transport)
    for number in range(10):
        assert library.ask(b"token number %d" % number).status == INVALID_TOKEN
    assert len(server.requests) == 10


def test_answer_before_the_request_was_read(library, serve, transport):
    """An early answer to a large request may be somebody else's: it counts for nobody, and nothing is left of it."""

    def script(connection):
        request_head = connection.read_head()
        connection.send(response(BARE_YES))
        connection.read_body(request_head)
        connection.read_request()
        connection.send(response(NO))
        connection.hang()

    serve(script, answers(response(NO)), tls=transport, small_window=True)
    assert library.ask(b"\x01" * 200_000).status == UNAVAILABLE
    assert library.ask(b"second token").status == INVALID_TOKEN


def test_answer_before_the_request_was_sent(library, serve, transport):
    """A server that answers as soon as it is connected to: its answer is nobody's, or at most the first token's."""

    def script(connection):
        connection.send(response(BARE_YES) * 2)
        connection.hang()

    serve(script, answers(response(NO)), tls=transport)
    library.ask(b"first token")
    time.sleep(0.05)
    assert library.ask(b"second token").status == INVALID_TOKEN


def test_no_content_length_then_more(library, serve, transport):
    """Without a length the body ends with the connection, whatever looks like another answer in it."""
    server = serve(sends(head(200) + NO + response(BARE_YES), close=True), answers(response(NO)), tls=transport)
    assert library.ask(b"first token").value == 0
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", str(len(NO))), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("Content-Length", str(len(NO)))],
        [("Content-Length", str(len(NO))), ("Content-Length", "1000")],
    ],
)
def test_framing_that_two_readers_may_understand_differently(library, serve, transport, headers, monkeypatch):
    # A library that believes the longer length waits for the rest; that is no yes either.
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "1000")
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(NO), NO)
    serve(Surplus([head(200, headers) + body + response(BARE_YES)]), answers(response(NO)), tls=transport)
    assert library.ask(b"first token").value == 0
    assert library.ask(b"second token").status == INVALID_TOKEN
