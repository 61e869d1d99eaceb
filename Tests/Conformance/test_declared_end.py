"""Where an answer ends, by its own declaration: up to there it is read, and one byte more ends the connection.

After answers that say nothing about the token, too: what they leave behind would be the next token's answer.
"""

from __future__ import annotations

import ssl
import threading
import time

import pytest

from certificates import only_version
from client import LOG_WARNING
from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, OK, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, chunked, error_body, head, response

# What a connection brings is looked at request by request.
pytestmark = pytest.mark.every_no_is_believed

# What was written on loopback is there at once; this is room for a busy machine.
ARRIVAL = 0.03

PAGE = b"<html>" + b"busy " * 100 + b"</html>"


def in_chunks(status: int, body: bytes) -> bytes:
    """An answer whose end is its last chunk."""
    return head(status, [("Transfer-Encoding", "chunked")]) + chunked(body)


# The answer, and the status that the library makes of it.
ANSWERS = {
    "200": (response(NO), INVALID_TOKEN),
    "200 in chunks": (in_chunks(200, NO), INVALID_TOKEN),
    "400 of a token": (response(error_body(400, "failed to parse token claims: x"), status=400), INVALID_TOKEN),
    "401": (response(PAGE, status=401), MISCONFIGURED),
    "404": (response(PAGE, status=404), MISCONFIGURED),
    "429": (response(PAGE, status=429), UNAVAILABLE),
    "429 in chunks": (in_chunks(429, PAGE), UNAVAILABLE),
    "429 without a body": (response(b"", status=429), UNAVAILABLE),
    "503": (response(PAGE, status=503), UNAVAILABLE),
    "503 in chunks": (in_chunks(503, PAGE), UNAVAILABLE),
}


@pytest.fixture(params=["http", "TLS 1.2", "TLS 1.3"])
def transport(request, trusted):
    """The server's TLS settings, or None for plain HTTP."""
    if request.param == "http":
        return None
    version = ssl.TLSVersion.TLSv1_2 if request.param == "TLS 1.2" else ssl.TLSVersion.TLSv1_3
    return only_version(trusted.server_context(), version)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_ends_where_it_says_keeps_its_connection(library, answering, transport, kind):
    answer, status = ANSWERS[kind]
    server = answering(answer, tls=transport)
    assert [library.ask(TOKEN).status for _ in range(3)] == [status] * 3
    assert (server.connections, len(server.requests)) == (1, 3)


ENDING = {
    "408": response(PAGE, status=408),
    "413": response(PAGE, status=413),
    "431": response(PAGE, status=431),
    "400 of a gateway": response(PAGE, status=400),
    "a long page": response(PAGE * 100, status=503),
    "a long page in chunks": in_chunks(503, PAGE * 100),
    "closing": response(PAGE, status=503, headers=[("Connection", "close")]),
    "HTTP/1.0": response(PAGE, status=503, version="HTTP/1.0"),
}


@pytest.mark.parametrize("kind", ENDING)
def test_an_answer_after_which_the_connection_is_of_no_use(library, serve, transport, kind):
    """The server may not have read the request, closes, or says more than is worth reading."""
    server = serve(answers(ENDING[kind]), answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status not in (OK, INVALID_TOKEN)
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [(request.connection, request.token) for request in server.requests] == [
        (1, "first token"),
        (2, "second token"),
    ]


# --- Beyond the end ---------------------------------------------------------------------------------------------------

SURPLUS = {"a yes": response(BARE_YES), "a byte": b"H", "a line end": b"\r\n"}

# How long after the answer; None: in the same packet and record.
MOMENTS = {"with it": None, "behind it": 0.0, "later": 0.05}


def surplus_after(answer, surplus, moment, closes=False):
    """A script that says something more after its answer, and the event that it has."""
    sent = threading.Event()

    def script(connection):
        connection.read_request()
        try:
            if moment is None:
                connection.send(answer + surplus)
            else:
                connection.send(answer)
                connection.wait(moment)
                connection.send(surplus)
            if closes:
                connection.close()
        finally:
            # A client that noticed the surplus may have left.
            sent.set()
        connection.read_request()
        connection.send(response(BARE_YES))
        connection.hang()

    return script, sent


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("kind", ["200", "200 in chunks", "429", "429 in chunks", "429 without a body", "503"])
def test_a_byte_beyond_the_end_ends_the_connection(library, serve, transport, kind, surplus, moment):
    answer, status = ANSWERS[kind]
    script, sent = surplus_after(answer, SURPLUS[surplus], MOMENTS[moment])
    server = serve(script, answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status == status
    assert sent.wait(5)
    time.sleep(ARRIVAL)
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert library.ask(b"third token").status == INVALID_TOKEN
    assert [(request.connection, request.token) for request in server.requests[1:]] == [
        (2, "second token"),
        (2, "third token"),
    ]


NO_BODY = {
    "204": head(204),
    "204 with a length": head(204, [("Content-Length", str(len(NO)))]),
    "204 in chunks": head(204, [("Transfer-Encoding", "chunked")]),
    "304": head(304),
    "304 with a length": head(304, [("Content-Length", str(len(NO)))]),
}


@pytest.mark.parametrize("kind", NO_BODY)
def test_an_answer_that_has_no_body(library, serve, transport, kind):
    """Who reads one all the same and who does not disagree about what follows."""
    script, sent = surplus_after(NO_BODY[kind], response(BARE_YES), None)
    server = serve(script, answers(response(NO)), tls=transport)
    assert library.ask(b"first token").status not in (OK, INVALID_TOKEN)
    assert sent.wait(5)
    time.sleep(ARRIVAL)
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [request.connection for request in server.requests] == [1, 2]


# --- What is said about it --------------------------------------------------------------------------------------------


def client_with(new_client, server, tls):
    """A client that logs everything."""
    return new_client(server.url(), ca_file=str(tls.authority.certificate))


def warnings_of(client):
    """The lines that an operator sees who has not asked for more."""
    return [text for level, text in client.log.lines if level <= LOG_WARNING]


@pytest.mark.parametrize("way", ["close", "close_with_alert", "send_closing_alert"])
def test_a_connection_that_is_closed_while_idle_is_no_event(new_client, serve, tls, transport, way):
    """Over TLS a close is a record: bytes, but none of HTTP. Every server closes idle connections at some time."""
    if transport is None:
        way = "close"
    go, ended = threading.Event(), threading.Event()

    def script(connection):
        connection.read_request()
        connection.send(response(NO))
        connection.wait_for(go)
        getattr(connection, way)()
        ended.set()
        if way == "send_closing_alert":
            connection.leave_unread()

    server = serve(script, answers(response(BARE_YES)), tls=transport)
    client = client_with(new_client, server, tls)
    assert client.validate(b"first token").status == INVALID_TOKEN
    go.set()
    assert ended.wait(5)
    time.sleep(ARRIVAL)
    assert client.validate(b"second token").status == OK
    assert [request.connection for request in server.requests] == [1, 2]
    assert warnings_of(client) == []


@pytest.mark.parametrize("then", ["leave it open", "close"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_bytes_that_nobody_asked_for_are_one(new_client, serve, tls, transport, moment, then):
    """One line, at warning level, also if the server closes behind them.

    Where they come with the answer, the connection is closed with it, and there may be nothing to say.
    """
    surplus, sent = surplus_after(response(NO), response(BARE_YES), MOMENTS[moment], then == "close")
    server = serve(surplus, answers(response(NO)), tls=transport)
    client = client_with(new_client, server, tls)
    assert client.validate(b"first token").status == INVALID_TOKEN
    assert sent.wait(5)
    time.sleep(ARRIVAL)
    for token in (b"second token", b"third token"):
        assert client.validate(token).status == INVALID_TOKEN
    lines = warnings_of(client)
    assert len(lines) == 1 if moment == "later" else len(lines) <= 1
    assert all("nobody asked for" in line for line in lines)
