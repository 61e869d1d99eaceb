"""Which tokens are sent, and that they arrive exactly as they are."""

from __future__ import annotations

import pytest

from library import INVALID_TOKEN, NO_TOKEN
from messages import Session, mint

LIMIT = 256 * 1024

SENT = {
    "word": b"test-token",
    "one byte": b"x",
    "blank": b" ",
    "blanks": b"   ",
    "line ends": b"\r\n",
    "surrounded by blanks": b" a.b.c\n",
    "Bearer": b"Bearer a.b.c",
    "cookie": b"hanko=a.b.c; Path=/",
    "quotes": b'"',
    "injection": b'x","session_token":"y',
    "backslashes": b"\\",
    "escape-like": b'\\u0041\\n\\"',
    "backslash at the end": b"a\\",
    "slash": b"a/b",
    "markup": b"<script>&amp;</script>",
    "every control character": bytes(range(1, 32)) + b"\x7f",
    "printable ASCII": bytes(range(32, 127)),
    "C1 controls": "\u0080\u0085\u009f".encode(),
    "two bytes": "äöüß\u07ff".encode(),
    "three bytes": "\u0800€\ufffd\uffff\ufeff".encode(),
    "around the surrogates": "\ud7ff\ue000".encode(),
    "four bytes": "\U00010000😀\U0010ffff".encode(),
    "line separators": "\u2028\u2029".encode(),
    "combining": "e\u0301\u200d".encode(),
    "right to left": "\u202eabc".encode(),
    "JWT": Session().token(),
    "JWT without signature": mint({"sub": "x"}, header={"alg": "none"}).rsplit(b".", 1)[0] + b".",
    "dots": b"...",
    "quotes, 200 KB": b'"' * 200_000,
    "control characters, 200 KB": b"\x01" * 200_000,
    "non-ASCII, 200 KB": "ä€😀".encode() * (200_000 // 9),
    "exactly the limit": b"a" * LIMIT,
    "exactly the limit, every byte escaped": b"\x1f" * LIMIT,
    "exactly the limit, four-byte characters": "😀".encode() * (LIMIT // 4),
}


@pytest.mark.parametrize("case", SENT)
def test_sent_exactly_as_it_is(library, answering, case):
    token = SENT[case]
    server = answering()
    assert library.ask(token).status == INVALID_TOKEN
    (request,) = server.requests
    assert request.token.encode("utf-8") == token


NOT_UTF8 = {
    "lone continuation": b"\x80",
    "continuation after ASCII": b"a\xbf",
    "FE": b"\xfe",
    "FF": b"\xff",
    "overlong slash, two bytes": b"\xc0\xaf",
    "overlong NUL, two bytes": b"\xc0\x80",
    "overlong, C1": b"\xc1\xbf",
    "overlong, three bytes": b"\xe0\x80\xaf",
    "overlong, largest of three bytes": b"\xe0\x9f\xbf",
    "overlong, four bytes": b"\xf0\x80\x80\xaf",
    "overlong, largest of four bytes": b"\xf0\x8f\xbf\xbf",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "F5": b"\xf5\x80\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "truncated two bytes": b"abc\xc3",
    "truncated three bytes": b"abc\xe2\x82",
    "truncated four bytes": b"abc\xf0\x9f\x98",
    "truncated, then ASCII": b"\xe2\x82abc",
    "Latin-1": "f\u00fcr".encode("latin-1"),
    "after 200 KB": b"a" * 200_000 + b"\xff",
}


@pytest.mark.parametrize("case", NOT_UTF8)
def test_not_utf8_is_refused_without_a_request(library, answering, case):
    server = answering()
    answer = library.ask(NOT_UTF8[case])
    assert answer.status == INVALID_TOKEN
    assert (server.connections, len(server.requests)) == (0, 0)


@pytest.mark.parametrize("length", [LIMIT + 1, 2 * LIMIT, 16 * 1024 * 1024])
def test_too_long_is_refused_without_a_request(library, answering, length):
    server = answering()
    answer = library.ask(b"a" * length)
    assert answer.status == INVALID_TOKEN
    assert (server.connections, len(server.requests)) == (0, 0)


@pytest.mark.parametrize("token", [None, b""])
def test_no_token(library, answering, token):
    server = answering()
    assert library.ask(token).status == NO_TOKEN
    assert (server.connections, len(server.requests)) == (0, 0)


@pytest.mark.parametrize("token", [None, b""])
def test_no_token_needs_no_configuration(library, monkeypatch, token):
    monkeypatch.delenv("HANKO_API_URL", raising=False)
    assert library.ask(token).status == NO_TOKEN


def test_refused_tokens_leave_the_next_call_alone(library, answering):
    server = answering()
    for refused in (None, b"", b"\xff", b"a" * (LIMIT + 1)):
        library.ask(refused)
        library.ask(b"test-token")
    assert [request.token for request in server.requests] == ["test-token"] * 4
