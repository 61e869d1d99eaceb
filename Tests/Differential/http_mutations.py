"""Small changes to answers of HTTP. Each takes the bytes of one and gives others: some still valid, most nearly."""

from __future__ import annotations

import random
from typing import Callable, Dict, List, Tuple

from http_corpus import JSON

Mutation = Callable[[bytes, random.Random, List[bytes]], bytes]

LINES = (
    b"HTTP/1.1 200 OK|HTTP/1.1 200|HTTP/1.1 200 |HTTP/1.0 200 OK|HTTP/1.2 200 OK|HTTP/2 200|HTTP/2.0 200 OK|"
    b"http/1.1 200 OK|HTTP/a.b 200|HTTP/0.9 200 OK|HTTP/1.1 400 Bad|HTTP/1.1 503 x|HTTP/1.1 099 x|HTTP/1.1 999 x|"
    b"HTTP/1.1 20 x|HTTP/1.1 2000 x|HTTP/1.1  200 OK|HTTP/1.1\t200 OK|HTTP/1.1 200\tOK|HTTP/1.1 200OK|HTTP/1.1 204 x|"
    b"HTTP/1.1 304 x|HTTP/1.1 101 x|HTTP/1.1 408 x|HTTP/1.1 413 x|HTTP/1.1 431 x|HTTP/1.1 200 \xe9|"
    b"HTTP/1.1 200 O\x00K|HTTP/1.1 200 O\x0bK|HTTP/1.1 +20 x|HTTP/1.1 429 x|HTTP/1.1 302 x|HTTP/1.1 1000|ICY 200 OK|"
    b"HTTP/1.1 100 x"
).split(b"|")

FIELDS = (
    b"Content-Length: 17|Content-Length: 5|Content-Length: 0|Content-Length: 17, 17|Content-Length: 17,999|"
    b"Content-Length: +17|Content-Length: 17abc|Content-Length: 17 999|Content-Length: 17;|Content-Length: 17.0|"
    b"Content-Length: -1|Content-Length:|Content-Length: 0x11|Content-Length: 9223372036854775807|"
    b"Content-Length: 9223372036854775808|Content-Length: 18446744073709551633|"
    b"Content-Length: 000000000000000000000017|Content-Length: 262144|Content-Length: 262145|Content-Length : 17|"
    b"Content-Length: \x0b17|content-length:17\t|Transfer-Encoding: chunked|Transfer-Encoding: CHUNKED|"
    b"Transfer-Encoding: gzip, chunked|Transfer-Encoding: x, chunked|Transfer-Encoding: chunked, gzip|"
    b"Transfer-Encoding: gzip|Transfer-Encoding: identity|Transfer-Encoding:|Transfer-Encoding: chunked,|"
    b"Transfer-Encoding: , chunked|Transfer-Encoding: chunked;a|Transfer-Encoding : chunked|Connection: close|"
    b"Connection: Close, x|Connection: x ,\tclose|Connection: keep-alive|Connection: closed|Connection:|"
    b"Content-Encoding: gzip|Content-Encoding: identity|Content-Encoding: x|A: b|A:b|A:| A: b|\tA: b|A : b|: b|A|"
    b"A b: c|A: \x00|A\x00: b|A: \x01\x7f|A: \x0b|A: b\x0cc|A: \xff|A\xe9: b|A: b\rc|A: b\nc|A: b\r|A/b: c|"
    b"!#$%&'*+-.^_`|~: x|Trailer: X|X-Request-Id: 00000000000000000000000000000000|Date: now|Age: 5|Retry-After: x|"
    b"Upgrade: x|A: b\r\n c: d"
).split(b"|")

FRAGMENTS = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"\x00", b" ", b"\t", b":", b",", b";", b"\r\n ", b"\x0b", b"\x0c"),
    *(b"\x80", b"\xff", b"\x7f", b"0", b"9", b"a", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 100 x\r\n\r\n", b"0\r\n\r\n"),
    *(b"5\r\nhello\r\n", b"X-T: y\r\n", JSON, b"HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n"),
]

SIZES = (
    b"0|00|000000000|0000000000000000000000005|5|05|00000005|000000005|a|A|ffffffff|fffffffff|40000|40001|-1|+5|0x5|"
    b" 5|5 |5\t|5 ;a|5;|5;a=b|5;a=\"b;c\"|5;\x00|5;a\rb|5;a\nb|5 5|5,5|g||5;\xff|5;\x0b|11|11;x|7fffffffffffffff"
).split(b"|")


def place(wire: bytes, rng: random.Random) -> int:
    """Somewhere in the bytes, both ends included."""
    return rng.randint(0, len(wire))


def head_end(wire: bytes) -> int:
    """Where the body begins, as far as that can be told."""
    found = wire.find(b"\r\n\r\n")
    return found + 4 if found >= 0 else len(wire)


def lines(wire: bytes) -> Tuple[List[bytes], bytes]:
    """The lines of the head, and the body."""
    end = head_end(wire)
    return wire[:end].split(b"\r\n")[:-2] or [b""], wire[end:]


def joined(head: List[bytes], body: bytes) -> bytes:
    """The bytes again."""
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def status_line(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Another first line."""
    head, body = lines(wire)
    return joined([rng.choice(LINES), *head[1:]], body)


def add_field(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """One more field, somewhere among the others."""
    head, body = lines(wire)
    head.insert(rng.randint(1, len(head)), rng.choice(FIELDS))
    return joined(head, body)


def replace_field(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Another field in the place of one."""
    head, body = lines(wire)
    if len(head) > 1:
        head[rng.randrange(1, len(head))] = rng.choice(FIELDS)
    return joined(head, body)


def drop_field(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """One field less."""
    head, body = lines(wire)
    if len(head) > 1:
        del head[rng.randrange(1, len(head))]
    return joined(head, body)


def repeat_field(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """A field twice, sometimes in another case."""
    head, body = lines(wire)
    if len(head) > 1:
        line = rng.choice(head[1:])
        head.insert(rng.randint(1, len(head)), rng.choice((line, line.upper(), line.lower(), line + b"0")))
    return joined(head, body)


def frame_anew(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """A body in chunks, well made but for one of them."""
    head, _body = lines(wire)
    head = [line for line in head if not line.lower().startswith((b"content-length", b"transfer-encoding"))]
    chunks = [b"5\r\nhello\r\n" for _ in range(rng.randint(0, 3))]
    size = rng.choice(SIZES)
    odd = size + rng.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""))
    odd += rng.choice((b"hello", b"hello", JSON, b""))
    chunks.insert(rng.randint(0, len(chunks)), odd + rng.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"x", b"")))
    trailer = b"".join(rng.choice(FIELDS) + b"\r\n" for _ in range(rng.choice((0, 0, 0, 1, 2))))
    last = rng.choice((b"0", b"0", b"000", b"0;x"))
    return joined([*head, b"Transfer-Encoding: chunked"], b"".join(chunks) + last + b"\r\n" + trailer + b"\r\n")


def flip_bytes(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Change bits, mostly of the head."""
    changed = bytearray(wire)
    for _ in range(rng.choice((1, 1, 2))):
        if changed:
            end = head_end(wire) if rng.random() < 0.7 else len(changed)
            changed[rng.randrange(min(end, len(changed)))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def insert(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Something that means something, or in the place of another byte."""
    start = place(wire[: head_end(wire)] if rng.random() < 0.6 else wire, rng)
    return wire[:start] + rng.choice(FRAGMENTS) + wire[start + rng.randint(0, 1) :]


def line_ends(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Other line ends: one of them, or all."""
    other = rng.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b" \r\n"))
    if rng.random() < 0.3:
        return wire.replace(b"\r\n", other)
    spots = [position for position in range(len(wire)) if wire.startswith(b"\r\n", position)]
    if not spots:
        return wire
    spot = rng.choice(spots)
    return wire[:spot] + other + wire[spot + 2 :]


def delete(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Leave out a few bytes."""
    start = place(wire, rng)
    return wire[:start] + wire[start + rng.randint(1, 6) :]


def truncate(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """Cut off the end."""
    return wire[: place(wire, rng)] if rng.random() < 0.4 else wire[: max(0, len(wire) - rng.randint(1, 6))]


def follow(wire: bytes, rng: random.Random, corpus: List[bytes]) -> bytes:
    """Something behind the answer, or before it."""
    more = rng.choice((*FRAGMENTS, rng.choice(corpus)))
    if rng.random() < 0.7:
        return wire + more
    interim = b"HTTP/1.1 102 x\r\n" + rng.choice((b"", rng.choice(FIELDS) + b"\r\n")) + b"\r\n"
    return (interim * rng.choice((1, 1, 2, 16, 17)) if rng.random() < 0.7 else more) + wire


def splice(wire: bytes, rng: random.Random, corpus: List[bytes]) -> bytes:
    """The head of one and the body of another."""
    other = rng.choice(corpus)
    return wire[: head_end(wire)] + other[head_end(other) :]


def lengthen(wire: bytes, rng: random.Random, _: List[bytes]) -> bytes:
    """A head around its limit, or a body around its own; rarely, because it takes time."""
    if rng.random() > 0.02:
        return wire
    head, body = lines(wire)
    if rng.random() < 0.5:
        room = 65_536 - len(joined(head, b"")) - 5
        return joined([*head, b"A: " + b"a" * max(0, room + rng.choice((-1, 0, 1, 2)))], body)
    return wire + b"a" * rng.choice((262_143, 262_144, 262_200))


MUTATIONS: Dict[str, Mutation] = {
    function.__name__: function
    for function in (
        *(status_line, add_field, replace_field, drop_field, repeat_field, frame_anew, flip_bytes, insert, line_ends),
        *(delete, truncate, follow, splice, lengthen),
    )
}


def mutated(corpus: List[bytes], rng: random.Random) -> Tuple[bytes, List[str]]:
    """An answer of the corpus after one to three changes, and their names."""
    wire = rng.choice(corpus)
    names = rng.choices(list(MUTATIONS), k=rng.choice((1, 1, 1, 2, 2, 3)))
    for name in names:
        wire = MUTATIONS[name](wire, rng, corpus)
    return wire, names
