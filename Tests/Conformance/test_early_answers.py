"""Answers that come before the whole request is sent: made without knowing it, they are nobody's verdict."""

from __future__ import annotations

import ssl

import pytest

import child
from certificates import only_version
from fault_server import Request, answers
from library import INVALID_TOKEN, OK
from messages import BARE_YES, NO, TOKEN, error_body, response
from resilience import compile_program
from tls_by_hand import TLSByHand

# What a connection brings is looked at request by request.
pytestmark = pytest.mark.every_no_is_believed

# More than the buffers of the kernel hold while the server reads little: in JSON it is six times as long.
LONG_TOKEN = b"\x01" * 200_000
VERDICTS = (OK, INVALID_TOKEN)
# What was written on loopback is there at once; this is room for a busy machine.
ARRIVAL = 0.03

# The answer, and the verdict that would be made of it if it came in time.
EARLY = {
    "yes": (BARE_YES, 200, OK),
    "no": (NO, 200, INVALID_TOKEN),
    "413": (b"", 413, INVALID_TOKEN),
    "431": (b"", 431, INVALID_TOKEN),
    "400 of a token": (error_body(400, "failed to parse token claims: x"), 400, INVALID_TOKEN),
    "403": (b"", 403, None),
    "503": (b"", 503, None),
}


@pytest.fixture(params=["http", "TLS"])
def transport(request, trusted):
    """The server's TLS settings, or None for plain HTTP."""
    return trusted.server_context() if request.param == "TLS" else None


def answer_to(head, body, status, echoes):
    """An answer, with the id of the request if the server echoes it."""
    ids = Request(0, head, b"").header("X-Request-Id")
    return response(body, status, headers=[("X-Request-Id", value) for value in ids if echoes])


def answers_early(body, status, echoes, cut=None, first=None):
    """A script that answers when it has read a head, and reads the rest of the request a little later.

    With a cut, it keeps the answer from there back until it has read the request; with a first answer, it gives that
    to an earlier request on the same connection.
    """

    def script(connection):
        if first is not None:
            request = connection.read_request()
            connection.send(answer_to(request.head, first, 200, echoes))
        head = connection.read_head()
        reply = answer_to(head, body, status, echoes)
        connection.send(reply[:cut])
        connection.wait(ARRIVAL)
        connection.read_body(head)
        if cut is not None:
            connection.send(reply[cut:])
        connection.hang()

    return script


def assert_not_taken(library, server, token, truth):
    """The early verdict is not taken. It may be that the request went out again, and the truth came back."""
    before = len(server.requests)
    status = library.ask(token).status
    if any(request.connection > 1 for request in server.requests[before:]):
        assert status == truth
    else:
        assert status not in VERDICTS
    # And it is not left over for the next token.
    assert library.ask(b"second token").status == truth
    assert server.requests[-1].connection > 1


@pytest.mark.parametrize("echoes", [True, False], ids=["echoed", "not echoed"])
@pytest.mark.parametrize("kind", EARLY)
def test_on_a_fresh_connection(library, serve, transport, kind, echoes):
    body, status, verdict = EARLY[kind]
    truth = INVALID_TOKEN if verdict == OK else OK
    server = serve(
        answers_early(body, status, echoes),
        answers(response(NO if truth == INVALID_TOKEN else BARE_YES)),
        tls=transport,
        small_window=True,
    )
    assert_not_taken(library, server, LONG_TOKEN, truth)


@pytest.mark.parametrize("echoes", [True, False], ids=["echoed", "not echoed"])
@pytest.mark.parametrize("kind", EARLY)
def test_on_a_kept_connection(library, serve, transport, kind, echoes):
    body, status, verdict = EARLY[kind]
    truth = INVALID_TOKEN if verdict == OK else OK
    server = serve(
        answers_early(body, status, echoes, first=NO),
        answers(response(NO if truth == INVALID_TOKEN else BARE_YES)),
        tls=transport,
        small_window=True,
    )
    assert library.ask(TOKEN).status == INVALID_TOKEN
    assert_not_taken(library, server, LONG_TOKEN, truth)


@pytest.mark.parametrize("echoes", [True, False], ids=["echoed", "not echoed"])
@pytest.mark.parametrize("cut", [1, 20, -1], ids=["first byte", "status line", "all but one byte"])
def test_an_answer_that_begins_early(library, serve, transport, cut, echoes):
    script = answers_early(BARE_YES, 200, echoes, cut)
    server = serve(script, answers(response(NO)), tls=transport, small_window=True)
    assert_not_taken(library, server, LONG_TOKEN, INVALID_TOKEN)


def test_none_of_many(library, serve, transport, monkeypatch):
    """Each connection has an early answer, so that no call can have a verdict."""
    # Who takes the first one may wait on the same connection for another.
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "2000")
    serve(answers_early(BARE_YES, 200, echoes=True), tls=transport, small_window=True)
    assert OK not in [library.ask(LONG_TOKEN).status for _ in range(5)]


def test_an_answer_in_time(library, serve, transport):
    """Bytes of TLS itself, such as tickets, are no answer, and a long request may take its time."""

    def script(connection):
        for body in (BARE_YES, NO):
            head = connection.read_head()
            connection.wait(ARRIVAL)
            connection.read_body(head)
            connection.send(answer_to(head, body, 200, True))
        connection.hang()

    server = serve(script, tls=transport, small_window=True)
    assert [library.ask(LONG_TOKEN).status for _ in range(2)] == [OK, INVALID_TOKEN]
    assert server.connections == 1


# --- Before any request -----------------------------------------------------------------------------------------------

FIRST_WORDS = {
    "yes": (response(BARE_YES), b""),
    "no": (response(NO), b""),
    "413": (response(b"", status=413), b""),
    "begins a yes": (response(BARE_YES)[:20], response(BARE_YES)[20:]),
    "begins a no": (response(NO)[:-1], response(NO)[-1:]),
    "interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n", response(BARE_YES)),
}

ASK_LONG = 'report(library.ask(b"t" * 20_000).status)'


def speaks_first(words, rest):
    """A script that speaks as soon as there is a connection, and goes on when it has a request."""

    def script(connection):
        connection.send(words)
        connection.read_request()
        connection.send(rest)
        connection.hang()

    return script


@pytest.mark.parametrize("kind", FIRST_WORDS)
def test_a_server_that_speaks_first(serve, tmp_path, kind):
    serve(speaks_first(*FIRST_WORDS[kind]))
    shim = compile_program("patient_connect", tmp_path, shared=True)
    assert child.run(ASK_LONG, {"LD_PRELOAD": str(shim)}).report not in VERDICTS


@pytest.mark.parametrize("kind", FIRST_WORDS)
def test_a_server_that_speaks_first_within_tls(library, serve, trusted, monkeypatch, kind):
    """Its answer is in the same segment as the last message of the handshake, which in TLS 1.2 is the server's."""
    words, rest = FIRST_WORDS[kind]
    context = only_version(trusted.server_context(), ssl.TLSVersion.TLSv1_2)

    def script(connection):
        tls = TLSByHand(context, lambda: connection.socket.recv(65536), connection.send)
        tls.shake_hands()
        tls.sendall(words)
        while (data := tls.recv(65536)) and not data.endswith(b"}"):
            pass
        if rest:
            tls.sendall(rest)
        connection.hang()

    server = serve(script)
    monkeypatch.setenv("HANKO_API_URL", server.url().replace("http:", "https:"))
    assert library.ask(b"t" * 20_000).status not in VERDICTS
