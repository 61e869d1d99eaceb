"""No answer at all, a part of one, or something that is not HTTP."""

from __future__ import annotations

import pytest

from fault_server import refused_port, sends
from library import PROTOCOL_ERROR, UNAVAILABLE
from messages import BARE_YES, SERVER_MARKER, TOKEN, chunked_response, head, response


def test_nobody_listens(library, monkeypatch):
    monkeypatch.setenv("HANKO_API_URL", f"http://127.0.0.1:{refused_port()}")
    assert library.ask(TOKEN).status == UNAVAILABLE


LEAVING = {
    "before the request": lambda connection: None,
    "before the head": lambda connection: connection.read_request(),
    "inside the status line": lambda connection: (connection.read_request(), connection.send(b"HTTP/1.1 20")),
    "inside the head": lambda connection: (connection.read_request(), connection.send(response(BARE_YES)[:60])),
    "after the head": lambda connection: (
        connection.read_request(),
        connection.send(response(BARE_YES)[: -len(BARE_YES)]),
    ),
    "inside the body": lambda connection: (connection.read_request(), connection.send(response(BARE_YES)[:-1])),
    "inside a chunk": lambda connection: (connection.read_request(), connection.send(chunked_response(BARE_YES)[:-15])),
    "before the last chunk": lambda connection: (
        connection.read_request(),
        connection.send(chunked_response(BARE_YES)[:-5]),
    ),
    "a complete document but less than declared": lambda connection: (
        connection.read_request(),
        connection.send(response(BARE_YES, length=len(BARE_YES) + 1)),
    ),
}


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("moment", LEAVING)
def test_server_leaves(library, serve, moment, end):
    def script(connection):
        LEAVING[moment](connection)
        # What was sent has to arrive before a reset would throw it away.
        connection.wait(0.05)
        getattr(connection, end)()

    serve(script)
    assert library.ask(TOKEN).status == UNAVAILABLE


NOT_HTTP = {
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SMTP": b"220 mail.example.com ESMTP\r\n",
    "HTTP/0.9": BARE_YES,
    "noise": bytes(range(256)) * 4,
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x16",
    "other protocol name": b"HTTQ/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" + BARE_YES,
}


@pytest.mark.parametrize("kind", NOT_HTTP)
def test_not_http(library, serve, kind):
    serve(sends(NOT_HTTP[kind] + SERVER_MARKER.encode(), close=True))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"FFFFFFFFFFFFFFFFFFFF\r\n", b"\r\n"])
def test_chunk_size_that_is_no_number(library, serve, chunk):
    serve(sends(head(200, [("Transfer-Encoding", "chunked")]) + chunk + BARE_YES + b"\r\n0\r\n\r\n", close=True))
    answer = library.ask(TOKEN)
    assert answer.status in (PROTOCOL_ERROR, UNAVAILABLE)
