"""Answers that break a rule of HTTP/1.1: none is a yes, and its connection serves nobody else.

Each says yes to a reader that is lenient. Where two readers may see different ends of an answer, what one of them
leaves over is the next token's answer to the other; so nothing is made the best of (RFC 9112, sections 4 to 7).
"""

from __future__ import annotations

import gzip

import pytest

from fault_server import answers
from library import INVALID_TOKEN, MISCONFIGURED, OK, PROTOCOL_ERROR
from messages import BARE_YES, NO, TOKEN, Session, chunked, error_body, head, response

# What a connection brings is looked at request by request.
pytestmark = pytest.mark.every_no_is_believed

LENGTH = str(len(BARE_YES))
YES = response(BARE_YES)
KIB = 1024


def with_fields(*fields: bytes, body: bytes = BARE_YES) -> bytes:
    """An answer 200 with these field lines as they are."""
    return b"".join(line + b"\r\n" for line in (b"HTTP/1.1 200 OK", *fields, b"")) + body


def with_length(*values: str) -> bytes:
    """A yes with a `Content-Length` for each of these."""
    return with_fields(*(b"Content-Length: " + value.encode() for value in values))


def with_line(line: bytes) -> bytes:
    """A yes with another status line."""
    return line + YES[YES.index(b"\r\n") :]


def beside_length(*fields: bytes) -> bytes:
    """A yes with a good length, and these field lines."""
    return with_fields(b"Content-Length: " + LENGTH.encode(), *fields)


def with_coding(*values: bytes, also: tuple[bytes, ...] = (), body: bytes = chunked(BARE_YES)) -> bytes:
    """A yes with a `Transfer-Encoding` for each of these."""
    return with_fields(*also, *(b"Transfer-Encoding: " + value for value in values), body=body)


LENGTHS = {
    "two in a list": with_length(f"{LENGTH}, 999"),
    "two in a list, the good one last": with_length(f"999, {LENGTH}"),
    "two equal ones in a list": with_length(f"{LENGTH},{LENGTH}"),
    "two equal ones in a list with a blank": with_length(f"{LENGTH}, {LENGTH}"),
    "two equal fields": with_length(LENGTH, LENGTH),
    "two different fields": with_length(LENGTH, "999"),
    "a list that ends with a comma": with_length(f"{LENGTH},"),
    "plus": with_length(f"+{LENGTH}"),
    "minus": with_length(f"-{LENGTH}"),
    "letters behind it": with_length(f"{LENGTH}abc"),
    "a number behind it": with_length(f"{LENGTH} 999"),
    "a semicolon behind it": with_length(f"{LENGTH};"),
    "a point behind it": with_length(f"{LENGTH}.0"),
    "in quotes": with_length(f'"{LENGTH}"'),
    "hexadecimal": with_length(f"0x{len(BARE_YES):x}"),
    "empty": with_length(""),
    "2^63": with_length(str(1 << 63)),
    "2^63 too much": with_length(str((1 << 63) + len(BARE_YES))),
    "2^64 too much": with_length(str((1 << 64) + len(BARE_YES))),
    "2^80 too much": with_length(str((1 << 80) + len(BARE_YES))),
}

STATUS_LINES = {
    "HTTP/2": with_line(b"HTTP/2 200"),
    "HTTP/2.0": with_line(b"HTTP/2.0 200 OK"),
    "HTTP/3": with_line(b"HTTP/3 200"),
    "HTTP/0.9": with_line(b"HTTP/0.9 200 OK"),
    "lower case": with_line(b"http/1.1 200 OK"),
    "no numbers": with_line(b"HTTP/a.b 200 OK"),
    "no minor version": with_line(b"HTTP/1 200 OK"),
    "no digit": with_line(b"HTTP/1.x 200 OK"),
    "two digits": with_line(b"HTTP/1.10 200 OK"),
    "a zero in front": with_line(b"HTTP/01.1 200 OK"),
    "another protocol": with_line(b"ICY 200 OK"),
    "two blanks": with_line(b"HTTP/1.1  200 OK"),
    "a tabulator": with_line(b"HTTP/1.1\t200 OK"),
    "a blank in front": with_line(b" HTTP/1.1 200 OK"),
    "an empty line in front": b"\r\n" + YES,
    "two digits of a status": with_line(b"HTTP/1.1 20 OK"),
    "four digits of a status": with_line(b"HTTP/1.1 2000 OK"),
    "a zero in front of the status": with_line(b"HTTP/1.1 0200 OK"),
    "a letter behind the status": with_line(b"HTTP/1.1 200x OK"),
}

CODINGS = {
    "an unknown one before chunked": with_coding(b"x, chunked"),
    "gzip before chunked": with_coding(b"gzip, chunked"),
    "gzip before chunked, in two fields": with_coding(b"gzip", b"chunked"),
    "identity before chunked": with_coding(b"identity, chunked"),
    "chunked twice": with_coding(b"chunked, chunked"),
    "chunked in two fields": with_coding(b"chunked", b"chunked"),
    "chunked before another": with_coding(b"chunked, identity"),
    "chunked with a parameter": with_coding(b"chunked;q=1"),
    "chunked and a length": with_coding(b"chunked", also=(b"Content-Length: " + LENGTH.encode(),)),
    "chunked and a length of what is on the wire": with_coding(
        b"chunked", also=(b"Content-Length: %d" % len(chunked(BARE_YES)),)
    ),
    "identity and a length": with_coding(b"identity", also=(b"Content-Length: " + LENGTH.encode(),), body=BARE_YES),
    "chunked in HTTP/1.0": with_coding(b"chunked").replace(b"HTTP/1.1", b"HTTP/1.0"),
}

FIELDS = {
    "folded": beside_length(b"X-One: two", b" three"),
    "folded with a tabulator": beside_length(b"X-One: two", b"\tthree"),
    "folded length": with_fields(b"Content-Length:", b" " + LENGTH.encode()),
    "folded before the first": beside_length().replace(b"OK\r\n", b"OK\r\n X-One: two\r\n"),
    "NUL in a value": beside_length(b"X-One: t\0wo"),
    "NUL in a name": beside_length(b"X-\0One: two"),
    "NUL in the status line": with_line(b"HTTP/1.1 200 O\0K"),
    "bare CR in a value": beside_length(b"X-One: t\rwo"),
    "bare CR that begins another field": beside_length(b"X-One: two\rX-Two: three"),
    "bare CR in the status line": with_line(b"HTTP/1.1 200 O\rK"),
    "blank before the colon": beside_length(b"X-One : two"),
    "tabulator before the colon": beside_length(b"X-One\t: two"),
    "blank before the colon of the length": with_fields(b"Content-Length : " + LENGTH.encode()),
    "blank in a name": beside_length(b"X One: two"),
    "no colon": beside_length(b"X-One"),
    "no name": beside_length(b": two"),
}

ANSWERS = {
    **{f"length: {kind}": answer for kind, answer in LENGTHS.items()},
    **{f"status line: {kind}": answer for kind, answer in STATUS_LINES.items()},
    **{f"transfer coding: {kind}": answer for kind, answer in CODINGS.items()},
    **{f"field: {kind}": answer for kind, answer in FIELDS.items()},
}


def assert_another_connection_serves_the_next(library, server):
    assert library.ask(b"second token").status == INVALID_TOKEN
    assert [(request.connection, request.token) for request in server.requests[1:]] == [(2, "second token")]


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_against_the_rules_is_none(library, serve, monkeypatch, kind):
    # Who believes the longer of two lengths waits for the rest: that is no yes, but not what is asked for here.
    monkeypatch.setenv("HANKO_TIMEOUT_MS", "2000")
    server = serve(answers(ANSWERS[kind], response(BARE_YES)), answers(response(NO)))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR
    assert_another_connection_serves_the_next(library, server)


GOOD = {
    "HTTP/1.0": with_line(b"HTTP/1.0 200 OK"),
    "no reason": with_line(b"HTTP/1.1 200 "),
    "zeros before the length": with_length("000" + LENGTH),
    "blanks around the length": with_fields(b"Content-Length: \t" + LENGTH.encode() + b" \t"),
    "no blank before the length": with_fields(b"CONTENT-length:" + LENGTH.encode()),
    "chunked in another case": with_coding(b"Chunked"),
    "an empty value": beside_length(b"X-One:"),
    "Latin-1 in a value": beside_length(b"X-One: \xe9"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_the_rules_allow_is_taken(library, answering, kind):
    answering(GOOD[kind])
    assert library.ask(TOKEN).status == OK


# --- The head's length ----------------------------------------------------------------------------------------------

TOO_LONG = {
    "one line": head(200, [("X-Long", "x" * 65 * KIB)]),
    "one line of a megabyte": head(200, [("X-Long", "x" * KIB * KIB)]),
    "many lines": head(200, [(f"X-{number}", "x" * 50) for number in range(1200)]),
    "the reason": with_line(b"HTTP/1.1 200 " + b"x" * 65 * KIB)[: -len(BARE_YES)],
    "a name": head(200, [("X" * 65 * KIB, "x")]),
    "interim answers before it": head(103, [("Link", "x" * 10 * KIB)]) * 6 + head(200, [("X-Long", "x" * 6 * KIB)]),
    "a line without an end": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70 * KIB,
    "a status line without an end": b"HTTP/1.1 200 " + b"x" * 70 * KIB,
}


@pytest.mark.parametrize("kind", TOO_LONG)
def test_a_head_that_is_too_long(library, serve, kind):
    declared = b"\r\nContent-Length: " + LENGTH.encode() + b"\r\n\r\n"
    # An interim answer has no body.
    long_head = declared.join(TOO_LONG[kind].rsplit(b"\r\n\r\n", 1))
    server = serve(answers(long_head + BARE_YES), answers(response(NO)))
    answer = library.ask(TOKEN)
    assert (answer.status, "65536" in answer.error) == (PROTOCOL_ERROR, True), answer
    assert_another_connection_serves_the_next(library, server)


# Libcurl 8.6 and later has limits of its own, for a line and for the head.
@pytest.mark.parametrize("line", [1, 30, 60])
def test_a_head_that_is_just_short_enough(library, answering, line):
    fields = [(f"X-{number}", "x" * (line * KIB - 20)) for number in range(60 // line)]
    answering(response(BARE_YES, headers=fields))
    assert library.ask(TOKEN).status == OK


# --- Content codings --------------------------------------------------------------------------------------------------


def test_nothing_encoded_is_asked_for(library, answering, monkeypatch):
    monkeypatch.setenv("HANKO_CONFIRM_REJECTIONS", "1")
    server = answering()
    assert library.ask(TOKEN).status == INVALID_TOKEN
    for request in server.requests + server.key_set_requests:
        assert request.header("Accept-Encoding") == ["identity"]
    assert len(server.requests) == len(server.key_set_requests) == 1


def encoded(body: bytes, coding: str, status: int = 200) -> bytes:
    """An answer whose body a gateway has compressed all the same."""
    return response(gzip.compress(body), status=status, headers=[("Content-Encoding", coding)])


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip"])
@pytest.mark.parametrize("body", [Session().yes(), NO], ids=["yes", "no"])
def test_an_encoded_answer_is_named_as_that(library, answering, body, coding):
    answering(encoded(body, coding))
    answer = library.ask(TOKEN)
    assert (answer.status, "encoded" in answer.error) == (PROTOCOL_ERROR, True), answer


def test_an_encoding_beside_identity(library, answering):
    answering(response(BARE_YES, headers=[("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]))
    assert library.ask(TOKEN).status == PROTOCOL_ERROR


def test_an_encoded_400_does_not_blame_the_token(library, answering):
    """Readable or not: who encodes against what was asked is not believed about the token."""
    body = error_body(400, "failed to parse token claims: x")
    answering(encoded(body, "gzip", 400))
    assert library.ask(TOKEN).status == MISCONFIGURED
    answering(response(body, status=400, headers=[("Content-Encoding", "gzip")]))
    assert library.ask(TOKEN).status == MISCONFIGURED


@pytest.mark.parametrize("coding", ["identity", "Identity"])
@pytest.mark.parametrize("body, status", [(BARE_YES, OK), (NO, INVALID_TOKEN)], ids=["yes", "no"])
def test_identity_is_no_encoding(library, answering, body, status, coding):
    answering(response(body, headers=[("Content-Encoding", coding)]))
    assert library.ask(TOKEN).status == status
