"""Nothing that a server or a name server does can stretch a call, and nothing it sends can fill the memory."""

from __future__ import annotations

import gzip

import pytest

import child
from deadline import within
from fault_server import BusyListener, sends
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR, TIMEOUT, UNAVAILABLE
from messages import BARE_YES, NO, TOKEN, chunked, chunked_response, head, response

# The deadline of a call in milliseconds, and by when a test wants it to have ended.
SHORT = "500"
AMPLE = 5.0

# What may be on its way before a client's limit is noticed: buffers on both sides.
IN_FLIGHT = 8 * 1024 * 1024


@pytest.fixture
def short(monkeypatch):
    """A short deadline for the whole call; connecting may take all of it."""
    monkeypatch.setenv("HANKO_TIMEOUT_MS", SHORT)


def request_then(then):
    """A script that reads a request and goes on with a function of the connection."""

    def script(connection):
        connection.read_request()
        then(connection)

    return script


LATE = {
    "silence": lambda connection: connection.hang(),
    "status line, then silence": lambda connection: (connection.send(b"HTTP/1.1 200 OK\r\n"), connection.hang()),
    "head, then silence": lambda connection: (
        connection.send(head(200, [("Content-Length", "18")])),
        connection.hang(),
    ),
    "all but the last byte": lambda connection: (connection.send(response(BARE_YES)[:-1]), connection.hang()),
    "document complete, length not reached": lambda connection: (
        connection.send(response(BARE_YES, length=len(BARE_YES) + 1)),
        connection.hang(),
    ),
    "body without length, never closed": lambda connection: (connection.send(head(200) + BARE_YES), connection.hang()),
    "last chunk missing": lambda connection: (connection.send(chunked_response(BARE_YES)[:-5]), connection.hang()),
    "trailer without end": lambda connection: (
        connection.send(chunked_response(BARE_YES)[:-2] + b"X-Trailer: 1\r\n"),
        connection.hang(),
    ),
    "interim answer, then silence": lambda connection: (
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n"),
        connection.hang(),
    ),
    "trickling status line": lambda connection: connection.send_slowly(b"HTTP/1.1 200 " + b"O" * 2000, 0.02),
    "trickling head": lambda connection: (
        connection.send(b"HTTP/1.1 200 OK\r\n"),
        connection.send_endlessly(b"X-A: b\r\n", 0.02),
    ),
    "trickling body": lambda connection: (
        connection.send(head(200, [("Content-Length", "20000")]) + BARE_YES),
        connection.send_endlessly(b" ", 0.02),
    ),
    "trickling chunks": lambda connection: (
        connection.send(head(200, [("Transfer-Encoding", "chunked")])),
        connection.send_endlessly(b"1\r\n \r\n", 0.02),
    ),
    "trickling interim answers": lambda connection: connection.send_endlessly(b"HTTP/1.1 102 Processing\r\n\r\n", 0.1),
    "whole answer byte by byte": lambda connection: connection.send_slowly(response(BARE_YES), 0.02),
}


@pytest.mark.parametrize("transport", ["http", "https"])
@pytest.mark.parametrize("kind", LATE)
def test_late_answer(library, serve, trusted, short, kind, transport):
    server = serve(request_then(LATE[kind]), tls=trusted.server_context() if transport == "https" else None)
    with within(AMPLE):
        assert library.ask(TOKEN).status == TIMEOUT
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer, expected",
    [(response(BARE_YES), OK), (chunked_response(NO, 1), INVALID_TOKEN)],
    ids=["with a length", "in chunks"],
)
def test_slow_answer_in_time(library, serve, answer, expected):
    serve(request_then(lambda connection: connection.send_slowly(answer, 0.002)))
    assert library.ask(TOKEN).status == expected


def test_late_answer_is_nobodys(library, serve, short):
    def late_yes(connection):
        connection.read_request()
        connection.wait(0.8)
        connection.send(response(BARE_YES))
        connection.hang()

    server = serve(late_yes, sends(response(NO)))
    assert library.ask(b"first token").status == TIMEOUT
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [request.connection for request in server.requests] == [1, 2]


def test_server_that_does_not_read(library, serve, short):
    serve(lambda connection: connection.leave_unread(), small_window=True)
    with within(AMPLE):
        assert library.ask(b"\x01" * 256 * 1024).status == TIMEOUT


def test_server_that_reads_slowly_is_awaited(library, serve):
    server = serve(sends(response(NO)), small_window=True)
    token = b"\x01" * 256 * 1024
    assert library.ask(token).status == INVALID_TOKEN
    assert server.requests[0].token.encode() == token


# --- connecting ---------------------------------------------------------------------------------------


@pytest.fixture
def busy(monkeypatch):
    """The API URL of a socket to which connecting hangs."""
    listener = BusyListener()
    monkeypatch.setenv("HANKO_API_URL", listener.url())
    yield listener
    listener.stop()


def test_connecting_hangs_until_the_deadline(library, busy, short):
    with within(AMPLE):
        assert library.ask(TOKEN).status == TIMEOUT


def test_connecting_hangs_longer_than_it_may(library, busy, monkeypatch):
    monkeypatch.setenv("HANKO_CONNECT_TIMEOUT_MS", "300")
    with within(AMPLE):
        assert library.ask(TOKEN).status == UNAVAILABLE


def test_connecting_may_take_three_seconds_by_default(library, busy):
    # The whole call may take ten.
    with within(8):
        assert library.ask(TOKEN).status == UNAVAILABLE


@pytest.mark.parametrize(
    "variable, expected", [("HANKO_TIMEOUT_MS", TIMEOUT), ("HANKO_CONNECT_TIMEOUT_MS", UNAVAILABLE)]
)
def test_tls_handshake_that_is_never_answered(library, serve, monkeypatch, variable, expected):
    server = serve(lambda connection: connection.hang())
    monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    monkeypatch.setenv(variable, SHORT)
    with within(AMPLE):
        assert library.ask(TOKEN).status == expected
    assert server.connections == 1


@pytest.mark.parametrize(
    "variable, expected", [("HANKO_TIMEOUT_MS", TIMEOUT), ("HANKO_CONNECT_TIMEOUT_MS", UNAVAILABLE)]
)
def test_silent_name_server(resolver, monkeypatch, variable, expected):
    monkeypatch.setenv("HANKO_API_URL", "https://hanko.test")
    monkeypatch.setenv(variable, SHORT)
    code = """
start = time.monotonic()
answers = [library.ask(b"test-token").status for _ in range(2)]
report([answers, time.monotonic() - start])
"""
    # The child has to end as well: a resolver thread that is waited for would keep it.
    with within(12):
        result = child.run(code, resolver.environment("silent"))
    statuses, took = result.report
    assert statuses == [expected, expected]
    assert took < 2 * AMPLE
    assert result.returncode == 0
    assert resolver.questions >= 1, "the preloaded function was not used: the test shows nothing"


def test_unknown_name(resolver, monkeypatch):
    monkeypatch.setenv("HANKO_API_URL", "https://hanko.test")
    result = child.run('report(library.ask(b"test-token").status)', resolver.environment("unknown"))
    assert result.report == UNAVAILABLE
    assert resolver.questions >= 1, "the preloaded function was not used: the test shows nothing"


# --- size ---------------------------------------------------------------------------------------------

ENDLESS_BODY = {
    "chunks": ([("Transfer-Encoding", "chunked")], b"1000\r\n" + b" " * 4096 + b"\r\n"),
    "one huge chunk": ([("Transfer-Encoding", "chunked")], None),
    "declared": ([("Content-Length", str(10**12))], b" " * 4096),
    "not declared": ([], b" " * 4096),
    "JSON text": ([], b'"' + b"x" * 4096),
    "brackets": ([], b"[" * 4096),
}


@pytest.mark.parametrize("status, expected", [(200, PROTOCOL_ERROR), (503, UNAVAILABLE)])
@pytest.mark.parametrize("kind", ENDLESS_BODY)
def test_endless_body_is_cut_off(library, serve, kind, status, expected):
    headers, piece = ENDLESS_BODY[kind]

    def script(connection):
        connection.read_request()
        connection.send(head(status, headers))
        if piece is None:
            connection.send(b"7fffffff\r\n")
        connection.send_endlessly(piece or b" " * 4096)

    server = serve(script)
    with within(AMPLE):
        assert library.ask(TOKEN).status == expected
    assert server.bytes_sent < IN_FLIGHT


def test_compressed_bomb(library, serve):
    bomb = gzip.compress(b" " * 100_000_000, 6)
    body = chunked(bomb, 8192)
    serve(sends(head(200, [("Transfer-Encoding", "gzip, chunked")]) + body, close=True))
    with within(AMPLE):
        assert library.ask(TOKEN).status == PROTOCOL_ERROR


ENDLESS_HEAD = {
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"y" * 100 + b"\r\n"),
    "short header lines": (b"HTTP/1.1 200 OK\r\n", b"a:b\r\n" * 100),
    "one line": (b"HTTP/1.1 200 OK\r\nX-Filler: ", b"y" * 1000),
    "folded line": (b"HTTP/1.1 200 OK\r\nX-Filler: a\r\n", b" " + b"y" * 1000 + b"\r\n"),
    "status line": (b"HTTP/1.1 200 ", b"O" * 1000),
    "no colon": (b"HTTP/1.1 200 OK\r\n", b"y" * 1000 + b"\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"),
    "of another status": (b"HTTP/1.1 503 Busy\r\n", b"X-Filler: " + b"y" * 100 + b"\r\n"),
    "Set-Cookie": (b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=" + b"y" * 4000 + b"\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS_HEAD)
def test_endless_head_is_cut_off(library, serve, kind):
    start, piece = ENDLESS_HEAD[kind]

    def script(connection):
        connection.read_request()
        connection.send(start)
        connection.send_endlessly(piece)

    server = serve(script)
    with within(AMPLE):
        assert library.ask(TOKEN).status == PROTOCOL_ERROR
    assert server.bytes_sent < IN_FLIGHT


def filler(total: int, line: int):
    """Header fields that fill a number of bytes."""
    field = "X-Filler", "y" * (line - len("X-Filler: \r\n"))
    return [field] * (total // line)


@pytest.mark.parametrize("status, expected", [(200, OK), (503, UNAVAILABLE)])
@pytest.mark.parametrize("line", [100, 8000, 60_000])
def test_large_head_within_the_limit(library, serve, line, status, expected):
    serve(sends(response(BARE_YES, status=status, headers=filler(60_000, line))))
    assert library.ask(TOKEN).status == expected


@pytest.mark.parametrize("status", [200, 400, 404, 503])
@pytest.mark.parametrize("line", [100, 8000, 70_000])
def test_head_over_the_limit(library, serve, line, status):
    serve(sends(response(BARE_YES, status=status, headers=filler(72_000, line))))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


def test_interim_answers_count_towards_the_limit(library, serve):
    hints = head(103, filler(20_000, 1000))
    serve(sends(hints * 2 + response(BARE_YES)))
    assert library.ask(TOKEN).status == OK
    serve(sends(hints * 4 + response(BARE_YES)))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


def test_endless_trailer_is_cut_off(library, serve):
    def script(connection):
        connection.read_request()
        connection.send(chunked_response(BARE_YES)[:-2])
        connection.send_endlessly(b"X-Trailer: " + b"y" * 1000 + b"\r\n")

    server = serve(script)
    with within(AMPLE):
        assert library.ask(TOKEN).status in (PROTOCOL_ERROR, UNAVAILABLE)
    assert server.bytes_sent < IN_FLIGHT


def test_trickling_rest_that_nobody_needs_is_not_waited_for(library, serve, monkeypatch):
    """The status says all; the body is read only to keep the connection, and not for long."""
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "30000")

    def script(connection):
        connection.read_request()
        connection.send(head(401, [("Content-Length", "10000")]))
        connection.send_slowly(b"x" * 10_000, 0.02)

    serve(script)
    with within(AMPLE):
        assert library.ask(TOKEN).status == MISCONFIGURED


def test_the_call_after_a_flood_is_well(library, serve):
    def flood(connection):
        connection.read_request()
        connection.send(head(200))
        connection.send_endlessly(b" " * 4096)

    serve(flood, sends(response(NO)))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR
    assert library.ask(TOKEN).status == INVALID_TOKEN
