"""The framing of chunked answers: what is not the framing of RFC 9112 section 7.1 is no yes."""

import pytest

from fault_server import answers
from library import INVALID_TOKEN, OK, PROTOCOL_ERROR
from messages import BARE_YES, NO, head

CHUNKED = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]


def chunked(*parts: bytes) -> bytes:
    """An answer 200 with these bytes as its body on the wire."""
    return head(200, CHUNKED) + b"".join(parts)


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


@pytest.mark.parametrize(
    "body",
    [
        chunk(BARE_YES) + b"000000001\r\nx\r\n" + chunk(b""),
        chunk(BARE_YES) + b"0000000000000001\r\nx\r\n" + chunk(b""),
        chunk(BARE_YES) + b"1\r\nx\r\n" + chunk(b""),
        b"000000000000000000000000%x\r\n%s\r\n0\r\n\r\n" % (len(BARE_YES), BARE_YES),
        chunk(BARE_YES) + b"-1\r\n",
        chunk(BARE_YES) + b"zz\r\n",
    ],
    ids=["nine digits", "sixteen digits", "one digit", "many zeros", "negative", "no number"],
)
def test_no_yes_out_of_odd_framing(library, serve, body):
    serve(answers(chunked(body)))
    assert library.ask(b"token").status != OK


@pytest.mark.parametrize("content, status", [(BARE_YES, OK), (NO, INVALID_TOKEN)])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks_of_every_size(library, serve, content, status, size):
    pieces = [chunk(content[start : start + size]) for start in range(0, len(content), size)]
    serve(answers(chunked(*pieces, b"0\r\n\r\n")))
    assert library.ask(b"token").status == status


def test_extensions_and_trailers_change_nothing(library, serve):
    body = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: one\r\nX-Other: two\r\n\r\n" % (len(BARE_YES), BARE_YES)
    serve(answers(chunked(body)))
    assert library.ask(b"token").status == OK


def test_a_body_with_something_behind_its_json_is_none(library, serve):
    serve(answers(chunked(chunk(BARE_YES), chunk(b"x"), chunk(b""))))
    assert library.ask(b"token").status == PROTOCOL_ERROR
