"""What the library sends, byte by byte."""

from __future__ import annotations

import json

import pytest

from fault_server import answers, answers_in_turn
from library import INVALID_TOKEN, OK
from messages import NO, Session, response


def pairs_of(body: bytes):
    """The members of a JSON object in the order they were sent, duplicates kept."""
    return json.loads(body.decode("utf-8"), object_pairs_hook=list)


@pytest.fixture(params=["http", "https"])
def server(request, answering, trusted):
    """A server over either transport."""
    return answering(tls=trusted.server_context() if request.param == "https" else None)


def test_request_line(library, server):
    library.ask(b"test-token")
    assert server.requests[0].line == "POST /sessions/validate HTTP/1.1"


def test_headers(library, server):
    library.ask(b"test-token")
    request = server.requests[0]
    version = library.c.hanko_version().decode()
    assert request.header("Host") == [f"127.0.0.1:{server.port}"]
    assert request.header("Content-Type") == ["application/json"]
    assert request.header("Accept") == ["application/json"]
    assert request.header("User-Agent") == [f"libhanko/{version}"]
    assert request.header("Content-Length") == [str(len(request.body))]
    for name in ("Expect", "Cookie", "Authorization", "Transfer-Encoding", "Referer", "Upgrade"):
        assert request.header(name) == [], name
    names = [name for name, _ in request.headers]
    assert len(names) == len(set(names))


def test_body_has_exactly_one_key(library, server):
    library.ask(b"test-token")
    assert pairs_of(server.requests[0].body) == [("session_token", "test-token")]


@pytest.mark.parametrize("length", [1, 1024, 1025, 16 * 1024, 65 * 1024, 200_000, 256 * 1024])
def test_large_token_goes_out_in_one_request_without_asking(library, server, length):
    token = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    assert library.ask(token).status == INVALID_TOKEN
    (request,) = server.requests
    assert request.header("Expect") == []
    assert request.header("Content-Length") == [str(len(request.body))]
    assert pairs_of(request.body) == [("session_token", token.decode())]


def test_token_is_nowhere_but_in_the_body(library, server):
    session = Session()
    token = session.token()
    library.ask(token)
    (request,) = server.requests
    assert request.raw.count(token) == 1
    assert token in request.body
    for part in token.split(b"."):
        assert part not in request.head


def test_one_request_a_call(library, server):
    for count in range(1, 6):
        library.ask(b"test-token")
        assert len(server.requests) == count


def test_cookies_are_not_kept(library, serve):
    cookie = ("Set-Cookie", "session=1; Path=/")
    server = serve(answers(response(NO, headers=[cookie])))
    for _ in range(3):
        library.ask(b"test-token")
    assert [request.header("Cookie") for request in server.requests] == [[], [], []]


def test_yes_and_no_are_asked_alike(library, serve):
    session = Session()
    server = serve(answers_in_turn(response(session.yes()), response(NO)))
    token = session.token()
    assert library.ask(token).status == OK
    assert library.ask(token).status == INVALID_TOKEN
    first, second = server.requests
    # Each has an id of its own.
    ids = [request.header("X-Request-Id")[0].encode() for request in (first, second)]
    assert first.raw.replace(ids[0], b"") == second.raw.replace(ids[1], b"")
