"""Which tokens are sent, and that they arrive exactly as they are."""

from __future__ import annotations

import json

import pytest

import telltale
from fault_server import answers
from library import INVALID_TOKEN, NO_TOKEN
from messages import Session, mint, response

LIMIT = 256 * 1024

SENT = {
    "word": b"test-token",
    "one byte": b"x",
    "blanks inside": b"a  b\n c",
    "Bearer": b"Bearer test-token",
    "cookie": b"hanko=test-token; Path=/",
    "quotes": b'"',
    "injection": b'x","session_token":"y',
    "backslashes": b"\\",
    "escape-like": b'\\u0041\\n\\"',
    "backslash at the end": b"a\\",
    "slash": b"a/b",
    "markup": b"<script>&amp;</script>",
    "every control character": b"x" + bytes(range(1, 32)) + b"\x7f",
    "printable ASCII": bytes(range(33, 127)),
    "C1 controls": "\u0080\u0085\u009f".encode(),
    "two bytes": "äöüß\u07ff".encode(),
    "three bytes": "\u0800€\ufffd\uffff\ufeff".encode(),
    "around the surrogates": "\ud7ff\ue000".encode(),
    "four bytes": "\U00010000😀\U0010ffff".encode(),
    "no white space of Go's": "\u200b\ufeff\u180e".encode(),
    "combining": "e\u0301\u200d".encode(),
    "right to left": "\u202eabc".encode(),
    "JWT": Session().token(),
    "JWT without signature": mint({"sub": "x"}, header={"alg": "none"}).rsplit(b".", 1)[0] + b".",
    "dot": b".",
    "header and payload alone": b"e30.e30",
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


# Unicode's White_Space, by which Go's `bytes.TrimSpace` cuts.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


@pytest.mark.parametrize("mark", WHITE_SPACE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_white_space_around_a_token_is_cut(library, answering, mark):
    server = answering()
    login = Session().token()
    for token in (b"test-token", "ä€😀".encode(), login):
        assert library.ask(f"{mark} ".encode() + token + mark.encode()).status == INVALID_TOKEN
        assert server.requests[-1].token.encode("utf-8") == token
    asked = len(server.requests)
    assert library.ask(mark.encode()).status == INVALID_TOKEN
    assert library.ask((WHITE_SPACE + mark).encode()).status == INVALID_TOKEN
    assert len(server.requests) == asked, "nothing but white space is asked about"


def respelled(token: bytes) -> dict[str, bytes]:
    """The token in spellings that a real Hanko verifies, or might, and never issues."""
    header, payload, signature = token.split(b".")
    padded = [part + b"=" * (-len(part) % 4) for part in (header, payload, signature)]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = alphabet[alphabet.index(signature[-1:]) ^ 1 : (alphabet.index(signature[-1:]) ^ 1) + 1]
    parts = {"protected": header.decode(), "signature": signature.decode()}
    return {
        "line feed in the header": token[:9] + b"\n" + token[9:],
        "line feed behind the header": header + b".\n" + payload + b"." + signature,
        "line feed in the payload": header + b"." + payload[:9] + b"\n" + payload[9:] + b"." + signature,
        "line feed in the signature": token[:-9] + b"\n" + token[-9:],
        "carriage return": header + b"." + payload[:9] + b"\r\n" + payload[9:] + b"." + signature,
        "the other alphabet": header + b"." + payload + b"." + b"+/" + signature[2:],
        "stray bits": token[:-1] + stray,
        "padding": b".".join(padded),
        "padding of the signature": header + b"." + payload + b"." + padded[2],
        "a fourth part": token + b".e30",
        "an empty fourth part": token + b".",
        "general JSON form": json.dumps({"payload": payload.decode(), "signatures": [parts]}).encode(),
        "flattened JSON form": json.dumps({"payload": payload.decode(), **parts}).encode(),
        "JSON form behind white space": b"\n\t " + json.dumps({"payload": payload.decode(), **parts}).encode(),
    }


@pytest.mark.parametrize("spelling", respelled(Session().token()))
def test_respelled_token_is_refused_without_a_request(library, serve, spelling, monkeypatch):
    """Its holder could otherwise hide from us for whom it is, while Hanko still says yes."""
    monkeypatch.setenv("HANKO_AUDIENCE", "localhost")
    stolen = Session(audience=("another-app.example",))
    # A custom claim named `audience` decides where the payload cannot be read.
    server = serve(answers(response(stolen.yes(claims=stolen.claims(audience=["localhost"])))))
    assert library.ask(stolen.token()).status == INVALID_TOKEN
    (request,) = server.requests
    token = telltale.used(respelled(stolen.token())[spelling])
    answer = library.ask(token)
    assert answer.status == INVALID_TOKEN
    assert "JWS" in answer.error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "token",
    [b"..", b"...", b"a.b.c", b"x.y.z", b"{", b"{}", b"e30.bnVsbA.c2ln", b"W10.e30.c2ln", b"e30.e30.c2ln.", "é.é.é".encode()],
)
def test_what_has_the_shape_of_a_jws_and_is_none(library, answering, token):
    server = answering()
    assert library.ask(token).status == INVALID_TOKEN
    assert not server.requests


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
